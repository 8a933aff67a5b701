"""CPU time of several ways to do one thing, taken in turns so that a disturbance of the machine meets all alike."""

import time
from collections.abc import Callable, Mapping
from statistics import median


def own_cpu(work: Callable[[], object]) -> Callable[[], float]:
    """Return a function that does ``work`` and returns the CPU milliseconds that this process spent on it."""

    def measured() -> float:
        begin = time.process_time_ns()
        work()
        return (time.process_time_ns() - begin) / 1e6

    return measured


def interleaved(ways: Mapping[str, Callable[[], float]], *, rounds: int, warm_up: int = 3) -> dict[str, float]:
    """Return the median of what each way answers, over ``rounds`` rounds after ``warm_up`` that do not count."""
    answers: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(warm_up + rounds):
        for name, measure in ways.items():
            answer = measure()
            if round_number >= warm_up:
                answers[name].append(answer)
    return {name: median(values) for name, values in answers.items()}
