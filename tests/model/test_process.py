"""Processes as /proc shows them."""

import pytest

from pausewatch.model.process import Identity, Process


@pytest.mark.parametrize(
    ("state", "threads", "zombie"),
    [("Z", 1, True), ("Z", 0, True), ("Z", 2, False), ("S", 1, False), ("X", 1, False)],
)
def test_a_leader_whose_threads_live_is_no_zombie(state: str, threads: int, *, zombie: bool) -> None:
    """Only a process in state Z without a second thread is dead."""
    process = Process(
        identity=Identity(pid=7, start_ticks=1),
        parent_pid=1,
        name="app",
        state=state,
        threads=threads,
        kernel_thread=False,
    )

    assert process.is_zombie is zombie
    assert process.pid == 7


def test_age() -> None:
    """Start times are hundredths of a second of the boot clock."""
    assert Identity(pid=7, start_ticks=250).age_seconds(12.5) == 10
