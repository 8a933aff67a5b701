"""The yardstick of our sweep: a plain C program with the same reads (sweep.c), kept running between sweeps."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path


class CSweep:
    """The C program, which waits between sweeps."""

    def __init__(self, program: Path, pids: Sequence[int]) -> None:
        self._process = subprocess.Popen(
            [program, *map(str, pids)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._links = 5 * len(pids)

    def sweep(self) -> float:
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
