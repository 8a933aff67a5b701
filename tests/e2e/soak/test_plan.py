import itertools
from collections import Counter

import pytest

from e2e.soak import anytime, attended, unattended
from e2e.soak.kind import Kind, When
from e2e.soak.plan import MOST_AT_ONCE, Heal, Inject, Lose, Outage, Round, Step, rounds

KINDS = (*attended.kinds(), *anytime.kinds(), *unattended.kinds())
SEEDS = range(20)
ROUNDS = 12


def some(seed: int) -> list[Round]:
    """Return the first rounds of a seed."""
    return list(itertools.islice(rounds(seed, KINDS), ROUNDS))


def parts(seed: int) -> list[tuple[Step, ...]]:
    """Return the parts of these rounds."""
    return [part for one in some(seed) for part in (one.attended, one.unattended)]


def present_at_each_step(part: tuple[Step, ...]) -> list[tuple[Step, dict[int, Kind]]]:
    """Return each step with the faults that are there after it."""
    present: dict[int, Kind] = {}
    seen = []
    for step in part:
        if isinstance(step, Inject):
            present[step.number] = step.kind
        if isinstance(step, Heal):
            del present[step.number]
        seen.append((step, dict(present)))
    return seen


def test_follows_from_the_seed() -> None:
    """The same seed gives the same plan, another one another."""
    assert some(7) == some(7)
    assert some(7) != some(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_fault_is_healed_in_its_part(seed: int) -> None:
    """Nothing is left of a part; several faults are there at once, and never too many or two of one kind."""
    most = 0
    for part in parts(seed):
        seen = present_at_each_step(part)
        assert seen[-1][1] == {}
        assert {one.number for one in part if isinstance(one, Inject)} == {
            one.number for one in part if isinstance(one, Heal)
        }
        names = [Counter(kind.name for kind in present.values()) for _, present in seen]
        assert all(count == 1 for one in names for count in one.values())
        most = max(most, *(one.total() for one in names))

    assert 3 <= most <= MOST_AT_ONCE


@pytest.mark.parametrize("seed", SEEDS)
def test_each_fault_has_its_number_and_its_time(seed: int) -> None:
    """Numbers are unique; what a kubelet undoes is made without one, what needs one with one."""
    injections = [step for one in some(seed) for step in one.injections]
    assert len({step.number for step in injections}) == len(injections)
    for one in some(seed):
        with_kubelet = [step.kind.when for step in one.attended if isinstance(step, Inject)]
        without = [step.kind.when for step in one.unattended if isinstance(step, Inject)]
        assert When.UNATTENDED not in with_kubelet
        assert When.ATTENDED not in without


@pytest.mark.parametrize("seed", SEEDS)
def test_each_kind_has_its_turn(seed: int) -> None:
    """Within a few rounds each is made, and thirty faults are of many kinds."""
    kinds = [step.kind.name for one in some(seed) for step in one.injections]

    assert set(kinds) == {kind.name for kind in KINDS}
    assert len(set(kinds[:30])) >= 16


def test_outages() -> None:
    """All of them happen; a runtime is not restarted while something is there that this would undo."""
    lost = [
        (step.outage, present)
        for seed in SEEDS
        for part in parts(seed)
        for step, present in present_at_each_step(part)
        if isinstance(step, Lose)
    ]

    assert {outage for outage, _ in lost} == {*Outage}
    restarts = [present for outage, present in lost if outage is Outage.RUNTIME_RESTARTS]
    assert any(restarts), "some happen while faults are there"
    assert all(kind.bears_restart for present in restarts for kind in present.values())
