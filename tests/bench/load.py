"""Processes for a benchmark to look at: many, asleep, and gone when it ends."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sleepers(count: int) -> Iterator[tuple[int, ...]]:
    """Keep ``count`` sleeping processes; gives their pids."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            started.append(subprocess.Popen(["sleep", "infinity"]))  # noqa: PERF401  all started ones are ended
        yield tuple(process.pid for process in started)
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()
