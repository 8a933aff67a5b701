"""Test runs that work side by side share one node: what one of them leaves dead outside all pods, the other sees."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NODE = Path(__file__).parent
_TURN = _NODE.parent
"""What is locked: directories that are there anyway, so that nothing is left behind."""

ALONE = "alone_on_the_node"
"""The mark of tests that want it alone."""

LONGEST_WAIT_SECONDS = 1200
"""For the node alone: the longest test beside it, all kinds of pods at once, takes some minutes."""

LIMIT_SECONDS = 600
"""Of any other test on a node: it waits behind one that waits for the node alone."""


@contextmanager
def share_node(*, alone: bool) -> Iterator[None]:
    """Hold the node together with other tests or, if ``alone``, without any; waits for as long as it takes.

    Everybody waits for the node in turn: tests that share it, one after the other, would keep out the one that wants it
    alone for ever.
    """
    with _locked(_TURN, fcntl.LOCK_EX) as turn:
        node = os.open(_NODE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(node, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            fcntl.flock(turn, fcntl.LOCK_UN)
            yield
        finally:
            os.close(node)


@pytest.fixture(autouse=True)
def node(request: pytest.FixtureRequest) -> Iterator[None]:
    """This machine, shared with the tests of a run beside this one, unless a test is marked to have it alone."""
    with share_node(alone=request.node.get_closest_marker(ALONE) is not None):
        yield


@contextmanager
def _locked(directory: Path, kind: int) -> Iterator[int]:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, kind)
        yield handle
    finally:
        os.close(handle)
