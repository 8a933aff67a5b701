"""The whole test suite in little time: what mostly waits runs side by side, what counts time runs alone.

Each part is pytest in a process of its own, with labs of its own name. What runs beside another part shows its output
afterwards. All parts run, whichever fails. Tests that others on the machine would notice have it alone
(`support/shared_node.py`).
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

REPOSITORY = Path(__file__).parents[1]
CLEANING_SECONDS = 120.0
E2E = "tests/e2e"
INTEGRATION = "tests/integration"
BUDGETS = "tests/integration/test_budgets.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the tests.

    Attributes:
        name: Also what its labs are called.
        arguments: What pytest is given.
    """

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        """Return what to type after pytest."""
        return " ".join(self.arguments)

    def start(self, output: int | None = None) -> "subprocess.Popen[bytes]":
        """Start it, writing to a descriptor or, without one, to the terminal."""
        command = [sys.executable, "-m", "pytest", *self.arguments]
        environment = {**os.environ, "LAB_NAME_PREFIX": self.name}
        return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=output, stderr=output)


UNIT = Part(name="unit", arguments=("tests", f"--ignore={INTEGRATION}", f"--ignore={E2E}"))
MEASURED = Part(name="measured", arguments=(BUDGETS,))
ON_RUNTIMES = Part(name="runtimes", arguments=(INTEGRATION, f"--ignore={BUDGETS}"))
ON_A_CLUSTER = Part(name="cluster", arguments=(E2E,))


def main() -> int:
    """Run all parts, and return the exit code: 0, or that of the first part that failed."""
    with TemporaryFile() as output:
        ended = {part: finish(part.start()) for part in (UNIT, MEASURED)}
        say(f"{ON_A_CLUSTER} runs beside the next part; its output comes after it")
        beside = ON_A_CLUSTER.start(output.fileno())
        try:
            ended[ON_RUNTIMES] = finish(ON_RUNTIMES.start())
            ended[ON_A_CLUSTER] = finish(beside)
        finally:
            end(beside)
        say(f"{ON_A_CLUSTER} printed:")
        output.seek(0)
        sys.stdout.buffer.write(output.read())
        sys.stdout.flush()
    failed = {str(part): code for part, code in ended.items() if code}
    if failed:
        # The last thing that was printed may be of a part that passed.
        say(f"FAILED: {', '.join(failed)}")
    return next(iter(failed.values()), 0)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a part as Ctrl-C does, so that it cleans up; nothing if it has ended."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(CLEANING_SECONDS)


def finish(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a part; Ctrl-C reaches it as well, and it is left the time to clean up."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait(CLEANING_SECONDS)
        raise


def say(line: str) -> None:
    """Tell how far it is."""
    print(f"suite: {line}", flush=True)  # noqa: T201  progress for people


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
