"""CPU time of several ways to do one thing, taken in turns so that a disturbance of the machine meets all alike."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import median

ATTEMPTS = 5
"""To run a program that fails."""


def own_cpu(work: Callable[[], object]) -> Callable[[], float]:
    """Return a function that does ``work`` and returns the CPU milliseconds that this process spent on it."""

    def measured() -> float:
        begin = time.process_time_ns()
        work()
        return (time.process_time_ns() - begin) / 1e6

    return measured


def wall(work: Callable[[], object]) -> Callable[[], float]:
    """Return a function that does ``work`` and returns the milliseconds that passed, waiting included."""

    def measured() -> float:
        begin = time.perf_counter_ns()
        work()
        return (time.perf_counter_ns() - begin) / 1e6

    return measured


def program_cpu(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Callable[[], float]:
    """Return a function that runs a program to its end and returns the CPU milliseconds, user and system, it took.

    lsns fails now and then over a process that ends while it reads: such a run does not count, and is made again.

    Raises:
        RuntimeError: The program failed ATTEMPTS times in a row.
    """

    def measured() -> float:
        for _ in range(ATTEMPTS):
            exit_code, milliseconds = _run(command, environment)
            if exit_code == 0:
                return milliseconds
        raise RuntimeError(f"{' '.join(command)} ended {ATTEMPTS} times with another code than 0, last {exit_code}")

    return measured


def _run(command: Sequence[str], environment: Mapping[str, str] | None) -> tuple[int, float]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment)
    # wait4 tells about this child alone; the totals of getrusage also hold those of children that ended beside it.
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, (used.ru_utime + used.ru_stime) * 1e3


def others_cpu(pid: int, work: Callable[[], object]) -> Callable[[], float]:
    """Return a function that does ``work`` and returns the CPU milliseconds that another process spent meanwhile."""
    # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel's include/linux/posix-timers_types.h.
    clock = (~pid << 3) | 2

    def measured() -> float:
        begin = time.clock_gettime_ns(clock)
        work()
        return (time.clock_gettime_ns(clock) - begin) / 1e6

    return measured


def interleaved(ways: Mapping[str, Callable[[], float]], *, rounds: int, warm_up: int = 3) -> dict[str, float]:
    """Return the median of what each way answers, over ``rounds`` rounds after ``warm_up`` that do not count.

    Each round has another order, the same in every run: none of them always follows one that leaves it the caches
    warm, or cold.
    """
    answers: dict[str, list[float]] = {name: [] for name in ways}
    shuffled = Random(0)  # noqa: S311  no secret is made of it
    for round_number in range(warm_up + rounds):
        for name in shuffled.sample(sorted(ways), len(ways)):
            answer = ways[name]()
            if round_number >= warm_up:
                answers[name].append(answer)
    return {name: median(values) for name, values in answers.items()}
