"""What a sweep found, and how many files may be open meanwhile."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Process


@contextmanager
def soft_limit_of_open_files(limit: int) -> Iterator[None]:
    """Let no file be opened under a number of ``limit`` or more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def next_descriptor() -> int:
    """Return the number that the next open file gets."""
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def pids(processes: tuple[Process, ...] | Unavailable) -> list[int]:
    """Return the numbers of the processes read."""
    assert not isinstance(processes, Unavailable), processes
    return [process.pid for process in processes]
