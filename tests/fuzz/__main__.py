"""A long search: ``PYTHONPATH=operator:tests python -m fuzz --minutes 30``; ``make fuzz``."""

import random
import sys
import time
from dataclasses import dataclass, field

import click
from hypothesis import HealthCheck, Phase, given, seed, settings

from fuzz import corpus
from fuzz.held import BrokenError, hold
from fuzz.strategies import input_of
from fuzz.targets import Target, targets

EXAMPLES_PER_TURN = 500
"""Of one reader, before it is the next one's turn: a second or two of CPU."""

MOST_KEPT = 12
"""Of a reader, of those that are kept because they are different."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What a search over one reader has come to."""

    target: Target
    examples: int = 0
    outcomes: set[str] = field(default_factory=set)
    """Kinds of value and error that are known from the corpus or were seen."""

    broken: list[str] = field(default_factory=list)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", type=click.FloatRange(min=0), default=30, show_default=True, help="All readers together.")
@click.option("--seed", "first_seed", type=int, help="Repeat the search that printed this number.")
@click.option("--only", multiple=True, type=click.Choice(sorted(targets())), help="This reader.")
def main(minutes: float, first_seed: int | None, only: tuple[str, ...]) -> None:
    """Try random input on every reader, one after the other, until the time is up.

    What breaks one is made as small as possible, kept in tests/fuzz/corpus and told at the end, with exit code 1.
    """
    number = random.SystemRandom().randrange(2**32) if first_seed is None else first_seed
    names = only or sorted(targets())
    say(f"{len(names)} readers, {minutes:g} minutes, --seed {number}")
    searches = {name: _known(name) for name in names}
    ends_at = time.monotonic() + 60 * minutes
    while time.monotonic() < ends_at:
        for name, found in searches.items():
            if not found.broken and time.monotonic() < ends_at:
                _turn(name, found, number)
        number += 1
    for name, found in searches.items():
        say(f"{name}: {found.examples:,} inputs, {len(found.outcomes)} kinds of outcome, {len(found.broken)} faults")
    faults = [f"{name}: {one}" for name, found in searches.items() for one in found.broken]
    for fault in faults:
        say(f"FAULT {fault}")
    sys.exit(1 if faults else 0)


def _known(name: str) -> Found:
    target = targets()[name]
    found = Found(target=target)
    for raw in (*target.seeds, *(file.read_bytes() for file in corpus.kept(name))):
        found.outcomes.add(hold(target, raw))
    return found


def _turn(name: str, found: Found, number: int) -> None:
    """Try so many inputs on one reader; hypothesis goes on from what breaks it to the least that does."""
    last = b""

    @seed(number)
    @settings(
        max_examples=EXAMPLES_PER_TURN,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(raw=input_of(found.target))
    def search(raw: bytes) -> None:
        nonlocal last
        found.examples += 1
        last = raw
        outcome = hold(found.target, raw)
        if outcome not in found.outcomes:
            found.outcomes.add(outcome)
            if len(raw) <= corpus.LARGEST_BYTES and len(corpus.kept(name)) < MOST_KEPT:
                corpus.keep(name, raw)

    try:
        search()
    except BrokenError as error:
        found.broken.append(f"{error}; kept as {corpus.keep(name, last)}")
        say(f"{name}: {found.broken[-1]}")


def say(text: str) -> None:
    """Print one line."""
    click.echo(f"fuzz: {text}", err=True)


if __name__ == "__main__":
    main()
