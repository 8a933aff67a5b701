"""How many system calls one warm look makes, counted by strace."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

FEW_LOOKS, MANY_LOOKS = 5, 25
"""The difference between two runs is that of warm looks alone: start and first look are in both."""


def of_a_look(endpoint: str) -> Mapping[str, float]:
    """Return how often one warm look makes each system call, in all threads, on an average.

    Raises:
        CalledProcessError: strace may not trace here, or the looks failed.
    """
    few, many = (of_program(_looks(endpoint, looks)) for looks in (FEW_LOOKS, MANY_LOOKS))
    extra = MANY_LOOKS - FEW_LOOKS
    return {name: (many[name] - few[name]) / extra for name in many if many[name] > few[name]}


def of_program(command: Sequence[str]) -> Counter[str]:
    """Run a program to its end, and return how often it and what it started made each system call.

    Raises:
        CalledProcessError: It failed, or strace may not trace here.
    """
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as table:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        tracing = ("strace", "--follow-forks", "--summary-only", "--summary-columns=calls,name", "-o", table.name)
        subprocess.run([*tracing, *command], check=True, stdout=subprocess.DEVNULL, env=environment)
        return parse(Path(table.name).read_text(encoding="ascii"))


def parse(table: str) -> Counter[str]:
    """Return the calls by name of a summary with the columns calls and name (strace(1), -U)."""
    calls: Counter[str] = Counter()
    for line in table.splitlines():
        match line.split():
            case [count, name] if count.isdigit() and name != "total":
                calls[name] = int(count)
            case _:
                pass
    return calls


def _looks(endpoint: str, looks: int) -> Sequence[str]:
    return (sys.executable, "-m", "bench.endurance", endpoint, str(looks))
