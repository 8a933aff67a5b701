"""Our reading of /proc against plain C: ``PYTHONPATH=operator:tests python -m bench.proc_sweep``.

Both see the same processes in turns: 500 sleepers, of 330 of which the namespace links are read, beside whatever else
the machine runs. Ours does a whole ``ProcSource.read``; the C program (sweep.c) opens, reads and closes each file.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from bench.load import sleepers
from bench.measure import interleaved, own_cpu
from pausewatch.sources.procfs.source import ProcSource

PROCESSES = 500
FIRST_PROCESSES = 330
ROUNDS = 60

BUDGET = 1.0
"""Our CPU time divided by that of the C program, at most."""


class CSweep:
    """The C program, which sweeps once for each call."""

    def __init__(self, program: Path, pids: Sequence[int]) -> None:
        self._process = subprocess.Popen(
            [program, *map(str, pids)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._links = 5 * len(pids)

    def __call__(self) -> float:
        """Sweep once and return the CPU milliseconds it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        milliseconds, _, links = self._process.stdout.readline().split()
        if int(links) != self._links:
            raise RuntimeError(f"the C program read {links} links, not {self._links}; run as root")
        return float(milliseconds)

    def close(self) -> None:
        """End the program."""
        self._process.communicate()


@contextmanager
def c_sweep(pids: Sequence[int]) -> Iterator[CSweep]:
    """Compile the C program and run it for the namespace links of these processes."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "sweep")
        source = Path(__file__).with_name("sweep.c")
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
        with closing(CSweep(program, pids)) as sweep:
            yield sweep


def compare(processes: int, first_processes: int, rounds: int) -> dict[str, float]:
    """Return the median CPU milliseconds of one warm sweep: ``c`` and ``ours``."""
    with sleepers(processes) as pids, c_sweep(pids[:first_processes]) as in_c, closing(ProcSource()) as source:
        wanted = [(f"{pid:064x}", pid) for pid in pids[:first_processes]]
        return interleaved({"c": in_c, "ours": own_cpu(lambda: source.read(wanted))}, rounds=rounds)


def main() -> int:
    """Print the comparison; 1 if it is over the budget."""
    medians = compare(PROCESSES, FIRST_PROCESSES, ROUNDS)
    ratio = medians["ours"] / medians["c"]
    sys.stdout.write(
        f"sweep of {PROCESSES} processes, links of {FIRST_PROCESSES}, CPU ms, median of {ROUNDS}:"
        f" C {medians['c']:.2f}, ours {medians['ours']:.2f}, ratio {ratio:.2f} (budget {BUDGET})\n"
    )
    return int(ratio > BUDGET)


if __name__ == "__main__":
    raise SystemExit(main())
