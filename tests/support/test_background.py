"""Something that goes on beside a test."""

import threading

import pytest

from support.background import Background

LIMIT_SECONDS = 30.0


class Worker(Background):
    """Works until it is told to stop, or fails at once."""

    def __init__(self, fault: Exception | None = None) -> None:
        """Prepare."""
        super().__init__("worker", LIMIT_SECONDS)
        self.began = threading.Event()
        self.ended = threading.Event()
        self._fault = fault

    def _work(self) -> None:
        self.began.set()
        if self._fault is not None:
            raise self._fault
        self._stopping.wait(LIMIT_SECONDS)
        self.ended.set()


def test_works_until_the_end_of_its_context() -> None:
    """It is begun, told to stop, and waited for."""
    with Worker() as worker:
        assert worker.began.wait(LIMIT_SECONDS)
        assert not worker.ended.is_set()

    assert worker.ended.is_set()
    worker.check()


def test_what_ends_it_is_raised_by_whoever_checks() -> None:
    """And by nobody else: the thread itself ends in silence."""
    with Worker(ValueError("broken")) as worker:
        assert worker.began.wait(LIMIT_SECONDS)

    with pytest.raises(ValueError, match="broken"):
        worker.check()
