"""What hangs in the kernel for real: tests/integration/hostile_node/test_hanging_reads.py."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pausewatch.sources.patience import Patience

SOON_SECONDS = 0.05
NAMES = ("first", "second", "third")


class Node:
    """Files that can be told to hang.

    Attributes:
        released: Ends every hang.
        made: Which reads have begun, in which thread.
    """

    def __init__(self) -> None:
        self.released = threading.Event()
        self.hanging: set[str] = set()
        self.broken: set[str] = set()
        self.made: list[tuple[str, threading.Thread]] = []

    def read(self, name: str, so_far: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names that were read before in the same turn."""
        self.made.append((name, threading.current_thread()))
        if name in self.broken:
            raise ValueError(name)
        if name in self.hanging:
            self.released.wait()
        return tuple(so_far)

    def names_made(self) -> list[str]:
        """Return which reads have begun since the last call."""
        made, self.made = self.made, []
        return [name for name, _ in made]


@pytest.fixture
def node() -> Iterator[Node]:
    """Return a node on which nothing hangs for longer than its test."""
    made = Node()
    yield made
    made.released.set()


def test_each_read_knows_what_was_read_before(node: Node) -> None:
    """In the order of the names."""
    found = Patience(10).read_all(NAMES, node.read)

    assert found == {"first": (), "second": ("first",), "third": ("first", "second")}


def test_all_reads_of_all_scans_are_made_in_one_thread(node: Node) -> None:
    """On a node that is out of pids, a second one could not be started."""
    patience = Patience(10)
    for _ in range(3):
        patience.read_all(NAMES, node.read)

    assert len({thread for _, thread in node.made}) == 1
    assert node.made[0][1].daemon, "the end of the program waits for nobody"


def test_read_that_hangs_is_left_behind(node: Node) -> None:
    """What comes after it is read all the same."""
    node.hanging.add("second")

    found = Patience(SOON_SECONDS).read_all(NAMES, node.read)

    assert found == {"first": (), "third": ("first",)}


def test_read_that_hangs_is_not_made_again_before_it_has_ended(node: Node) -> None:
    """It costs one thread and one wait, however long it lasts; then it counts again."""
    node.hanging.add("second")
    patience = Patience(SOON_SECONDS)
    for _ in range(3):
        patience.read_all(NAMES, node.read)
    (left,) = {thread for name, thread in node.made if name == "second"}
    assert node.names_made() == ["first", "second", "third", *["first", "third"] * 2]

    node.released.set()
    left.join(10)

    assert patience.read_all(NAMES, node.read)["third"] == ("first", "second")


def test_what_was_left_behind_finds_nothing_any_more(node: Node) -> None:
    """Others go on with what was found until then."""
    node.hanging.add("second")
    patience = Patience(SOON_SECONDS)
    found = patience.read_all(NAMES, node.read)
    (left,) = {thread for name, thread in node.made if name == "second"}
    node.released.set()
    left.join(10)

    assert not left.is_alive()
    assert "second" not in found
    assert node.names_made().count("third") == 1, "it went on reading"


def test_several_that_hang(node: Node) -> None:
    """Each is waited for once."""
    node.hanging |= {"first", "third"}
    patience = Patience(SOON_SECONDS)

    assert patience.read_all(NAMES, node.read) == {"second": ()}
    assert patience.read_all(NAMES, node.read) == {"second": ()}
    assert node.names_made() == ["first", "second", "third", "second"]


def test_error_of_a_read_is_raised(node: Node) -> None:
    """A bug of ours: the scan breaks, and the next one begins anew."""
    node.broken.add("second")
    patience = Patience(10)
    with pytest.raises(ValueError, match="second"):
        patience.read_all(NAMES, node.read)
    assert node.names_made() == ["first", "second"]

    node.broken.clear()
    assert set(patience.read_all(NAMES, node.read)) == set(NAMES)


def test_without_a_thread_everything_is_read_here(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that is out of pids is one that has to be read."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert set(Patience(10).read_all(NAMES, node.read)) == set(NAMES)
    assert {thread for _, thread in node.made} == {threading.current_thread()}


def test_thread_ends_with_its_owner(node: Node) -> None:
    """And another one begins when there is more to read."""
    patience = Patience(10)
    patience.read_all(NAMES, node.read)
    patience.close()
    first = node.made[0][1]
    first.join(10)
    assert not first.is_alive()

    assert set(patience.read_all(NAMES, node.read)) == set(NAMES)
    patience.close()
