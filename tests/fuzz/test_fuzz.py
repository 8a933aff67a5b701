import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import corpus
from fuzz.held import BrokenError, hold
from fuzz.strategies import ODD_PIECES, input_of
from fuzz.targets import Target, targets

EXAMPLES = 60
"""Of each reader in each run of the unit tests."""

LONG_BYTES = 128 * 1024
LONGEST_SECONDS = 3.0
"""Of CPU, for any long input: what takes a time that grows with its square takes minutes."""

NAMES = sorted(targets())


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_input(name: str, data: st.DataObject) -> None:
    """A reader returns a bounded value that is safe to show, or raises what it declares; nothing else."""
    target = targets()[name]

    assert hold(target, data.draw(input_of(target)))


@pytest.mark.parametrize("name", NAMES)
def test_kept_input(name: str) -> None:
    """What was found once stays found; good input is read."""
    target = targets()[name]

    for raw in (*target.seeds, *(file.read_bytes() for file in corpus.kept(name))):
        assert hold(target, raw)
    assert not any(hold(target, raw).endswith("Error") for raw in target.seeds)


@pytest.mark.parametrize("name", NAMES)
def test_long_input(name: str) -> None:
    """The time grows with the length and no faster, whatever is repeated."""
    target = targets()[name]
    for piece in (*target.seeds[:1], *ODD_PIECES):
        began = time.thread_time()
        hold(target, target.seeds[0] + piece * (LONG_BYTES // len(piece)))
        assert time.thread_time() - began < LONGEST_SECONDS, piece


def test_every_folder_belongs_to_a_reader() -> None:
    """A corpus that nobody reads would look like a proof."""
    assert {folder.name for folder in corpus.FOLDER.iterdir()} <= {*NAMES}


@pytest.mark.parametrize(
    ("value", "cause"),
    [("a\x1b[31m", "not escaped"), (("x", ["\u202e"]), "not escaped"), ("x" * 60_000, "60000 characters")],
)
def test_reader_that_breaks_its_word(value: object, cause: str) -> None:
    """What holds a reader to its word notices."""
    with pytest.raises(BrokenError, match=cause):
        hold(Target(read=lambda _: value, seeds=()), b"")


def test_reader_that_raises() -> None:
    """Only what is declared is an answer."""

    def read(raw: bytes) -> object:
        raise ValueError(raw)

    assert hold(Target(read=read, declared=(ValueError,), seeds=()), b"x") == "ValueError"
    with pytest.raises(BrokenError, match="ValueError"):
        hold(Target(read=read, declared=(KeyError,), seeds=()), b"x")
