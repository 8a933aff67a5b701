"""What happens in a soak, and in which order: all of it follows from a seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from e2e.soak.kind import Kind, When

ATTENDED_FAULTS, UNATTENDED_FAULTS = 9, 7
"""Of one round: with, and then without a kubelet."""

MOST_AT_ONCE = 7
MOST_WAIT_SCANS = 2
MOST_OUTAGE_SCANS = 4

CHURN_SHARE, WAIT_SHARE, OUTAGE_SHARE = 0.35, 0.2, 0.6
"""How often pods come and go, or nothing happens, between two steps; and how often a part of a round has an outage."""


class Outage(Enum):
    """What the agent can not reach for a while."""

    RUNTIME_HANGS = "the runtime hangs"
    RUNTIME_RESTARTS = "the runtime is killed and started again"
    API_SERVER_REFUSES = "the API server refuses the agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """Make a fault."""

    number: int
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Heal:
    """Undo a fault, once it was told."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """Let pods come, and those go that came before."""

    force: bool
    """Whether they go without their time to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let so many scans pass."""

    scans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose:
    """Have an outage for so many scans."""

    outage: Outage
    scans: int


Step: TypeAlias = Inject | Heal | Churn | Wait | Lose


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Some faults; after each of the two parts none is left."""

    attended: tuple[Step, ...]
    unattended: tuple[Step, ...]

    @property
    def injections(self) -> tuple[Inject, ...]:
        """Its faults, in the order in which they are made."""
        return tuple(step for step in (*self.attended, *self.unattended) if isinstance(step, Inject))


def rounds(seed: int, kinds: Sequence[Kind]) -> Iterator[Round]:
    """Yield one round after the other, for ever; the same ones for the same seed.

    Args:
        seed: Any number.
        kinds: All kinds of faults: each has its turn before one has its second.
    """
    dice = random.Random(seed)  # noqa: S311  no secret
    numbers = iter(range(1, 1_000_000))
    attended = _Bag(dice, [one for one in kinds if one.when is not When.UNATTENDED])
    unattended = _Bag(dice, [one for one in kinds if one.when is not When.ATTENDED])
    while True:
        yield Round(
            attended=_part(dice, [(next(numbers), kind) for kind in attended.draw(ATTENDED_FAULTS)]),
            unattended=_part(dice, [(next(numbers), kind) for kind in unattended.draw(UNATTENDED_FAULTS)]),
        )


class _Bag:
    """Kinds that are drawn blindly, and put back when the bag is empty."""

    def __init__(self, dice: random.Random, kinds: Sequence[Kind]) -> None:
        self._dice = dice
        self._kinds = kinds
        self._left: list[Kind] = []

    def draw(self, count: int) -> list[Kind]:
        """Take so many different ones."""
        drawn: list[Kind] = []
        while len(drawn) < min(count, len(self._kinds)):
            if not self._left:
                self._left = self._dice.sample(self._kinds, len(self._kinds))
            # One that was put back in between may be among the drawn ones already: it stays for later.
            kind = next((one for one in self._left if one not in drawn), None)
            if kind is None:
                self._left += self._dice.sample(self._kinds, len(self._kinds))
                continue
            self._left.remove(kind)
            drawn.append(kind)
        return drawn


def _part(dice: random.Random, faults: list[tuple[int, Kind]]) -> tuple[Step, ...]:
    steps: list[Step] = []
    coming, present = list(faults), dict[int, Kind]()
    outage_after = dice.randrange(2 * len(faults)) if dice.random() < OUTAGE_SHARE else None
    while coming or present:
        if coming and len(present) < MOST_AT_ONCE and (not present or dice.random() < len(coming) / len(faults)):
            number, kind = coming.pop(0)
            steps.append(Inject(number=number, kind=kind))
            if kind.restarts_runtime:
                # What is made meanwhile would be made by another runtime than before and after.
                steps.append(Heal(number=number))
            else:
                present[number] = kind
        else:
            number = dice.choice(sorted(present))
            del present[number]
            steps.append(Heal(number=number))
        if dice.random() < CHURN_SHARE:
            steps.append(Churn(force=dice.random() < 1 / 2))
        if dice.random() < WAIT_SHARE:
            steps.append(Wait(scans=dice.randint(1, MOST_WAIT_SCANS)))
        done = sum(isinstance(one, Inject | Heal) for one in steps)
        if outage_after is not None and done > outage_after:
            outage_after = None
            steps.append(_outage(dice, present))
    return tuple(steps)


def _outage(dice: random.Random, present: dict[int, Kind]) -> Lose:
    possible = [one for one in Outage if one is not Outage.RUNTIME_RESTARTS or _all_bear_restart(present)]
    return Lose(outage=dice.choice(possible), scans=dice.randint(2, MOST_OUTAGE_SCANS))


def _all_bear_restart(present: dict[int, Kind]) -> bool:
    return all(kind.bears_restart for kind in present.values())
