import pytest

from pausewatch.sources.cri._generated.runtime_v1_pb2 import (
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    Container,
)
from pausewatch.sources.cri.memory import ListError, Memory

CREATED = Container(id="a", state=CONTAINER_CREATED)
RUNNING = Container(id="a", state=CONTAINER_RUNNING)
OTHER = Container(id="b", state=CONTAINER_RUNNING)


def test_unchanged_entry_is_known() -> None:
    """A value stands while its entry is listed in the same state."""
    memory: Memory[str] = Memory()
    memory.recall([RUNNING])
    memory.learn(RUNNING, "value", settled=True)

    assert memory.recall([RUNNING, OTHER]) == [OTHER]
    assert memory.values() == ("value",)


def test_changed_state_is_asked_again() -> None:
    """What was told about another state is forgotten."""
    memory: Memory[str] = Memory()
    memory.learn(CREATED, "old", settled=True)

    assert memory.recall([RUNNING]) == [RUNNING]
    assert memory.values() == ()


def test_unsettled_value_is_asked_again() -> None:
    """A value may stand for one reading only."""
    memory: Memory[str] = Memory()
    memory.learn(RUNNING, "for now", settled=False)

    assert memory.values() == ("for now",)
    assert memory.recall([RUNNING]) == [RUNNING]


def test_unlisted_entry_is_forgotten() -> None:
    """The memory is as large as the list, however many containers come and go."""
    memory: Memory[str] = Memory()
    memory.learn(RUNNING, "value", settled=True)
    memory.recall([])

    assert memory.recall([RUNNING]) == [RUNNING]


def test_values_are_ordered() -> None:
    """Two readings of one node are equal, although a runtime lists in random order."""
    memory: Memory[str] = Memory()
    memory.learn(OTHER, "second", settled=True)
    memory.learn(RUNNING, "first", settled=True)

    assert memory.values() == ("first", "second")


def test_what_was_known_in_the_state_before() -> None:
    """It lasts until the next list: whoever learns the new state may want it."""
    memory: Memory[str] = Memory()
    memory.recall([CREATED])
    memory.learn(CREATED, "old", settled=True)

    memory.recall([RUNNING])

    assert (memory.former("a"), memory.former("b")) == ("old", None)
    memory.recall([RUNNING])
    assert memory.former("a") is None


def test_doubted_value_is_asked_again() -> None:
    """It stands until then; nobody is known by an id that is not listed."""
    memory: Memory[str] = Memory()
    memory.learn(RUNNING, "value", settled=True)
    memory.doubt("a")
    memory.doubt("stranger")

    assert memory.values() == ("value",)
    assert memory.recall([RUNNING]) == [RUNNING]


@pytest.mark.parametrize("identifier", ["", "\x1b[31m", "a" * 257, "back\\slash"])
def test_entry_without_a_proper_id(identifier: str) -> None:
    """Nothing can be asked about it, and what was known before stays known."""
    memory: Memory[str] = Memory()
    memory.learn(RUNNING, "value", settled=True)

    with pytest.raises(ListError, match="has an entry with the id"):
        memory.recall([RUNNING, Container(id=identifier)])
    assert memory.values() == ("value",)


@pytest.mark.parametrize(
    "listed",
    [[RUNNING, RUNNING], [RUNNING, CREATED], [CREATED, RUNNING], [OTHER, RUNNING, OTHER]],
    ids=["known twice", "known and changed", "changed and known", "new twice"],
)
def test_id_that_is_listed_twice(listed: list[Container]) -> None:
    """Which of the two is true can not be told, whether or not one is known."""
    memory: Memory[str] = Memory()
    memory.learn(RUNNING, "value", settled=True)

    with pytest.raises(ListError, match="two entries with one id"):
        memory.recall(listed)
