"""The whole test suite in little time: what mostly waits runs side by side, what counts time runs alone.

Each part is pytest in a process of its own; all parts run, whichever fails. Tests that others on the machine would
notice have it alone (`support/shared_node.py`).

Who boots three nodes beside a test on live ones can keep an API server waiting for half a minute, which is no fault of
what is tested. So a few tests that fail side by side are named and run again, alone: what is wrong fails again.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
CLEANING_SECONDS = 120.0
LIVE = ("tests/integration", "tests/e2e")
BUDGETS = "tests/integration/test_budgets.py"

MOST_DISTURBED = 3
"""Tests that are run again: more of them are no accident."""

TESTS_FAILED = 1
"""pytest's exit code for that, and for nothing else."""

WORKERS_PER_CORE = 1.5
"""Tests on live nodes wait for more than half of their time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the tests.

    Attributes:
        name: Also what its labs are called.
        arguments: What pytest is given.
    """

    name: str
    arguments: tuple[str, ...]
    live: bool = False
    """Whether they run side by side on live nodes."""

    def run(self) -> int:
        """Run it to its end, and return its exit code; Ctrl-C reaches it as well, and it is left the time to clean up.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        command = [sys.executable, "-m", "pytest", *self.arguments]
        process = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, "LAB_NAME_PREFIX": self.name})
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait(CLEANING_SECONDS)
            raise


def parts() -> tuple[Part, ...]:
    """Return them in the order in which they run."""
    cores = os.cpu_count() or 1
    live_workers = max(2, round(cores * WORKERS_PER_CORE))
    return (
        Part(name="unit", arguments=("tests", *(f"--ignore={folder}" for folder in LIVE), *workers(cores))),
        Part(name="measured", arguments=(BUDGETS,)),
        # In the order of conftest.py, which begins with what takes longest.
        Part(
            name="live",
            arguments=(
                *(*LIVE, f"--ignore={BUDGETS}"),
                *workers(live_workers),
                # Whatever failed in an earlier run is none of this one's.
                *("--no-loadscope-reorder", "--durations=30", "--cache-clear"),
            ),
            live=True,
        ),
    )


def workers(count: int) -> tuple[str, ...]:
    """Return the arguments for so many tests side by side; `support/side_by_side.py` says which stay together."""
    return (f"--numprocesses={count}", "--dist=loadscope")


def result(part: Part) -> int:
    """Run a part, and the few tests that others may have disturbed once more; return the exit code of what counts."""
    code = part.run()
    if not part.live or code != TESTS_FAILED:
        return code
    failed = last_failed()
    if not 0 < len(failed) <= MOST_DISTURBED:
        return code
    print(f"suite: failed beside others, and run again alone: {', '.join(failed)}", flush=True)  # noqa: T201  for people
    return Part(name="alone", arguments=failed).run()


def last_failed() -> tuple[str, ...]:
    """Return what pytest has noted to have failed, by node id."""
    noted = REPOSITORY / ".pytest_cache/v/cache/lastfailed"
    return tuple(json.loads(noted.read_text(encoding="utf-8"))) if noted.exists() else ()


def main() -> int:
    """Run all parts, and return the exit code: 0, or that of the first part that failed."""
    ended = {part: result(part) for part in parts()}
    failed = {part.name: code for part, code in ended.items() if code}
    if failed:
        # The last thing that was printed may be of a part that passed.
        print(f"suite: FAILED: {', '.join(failed)}", flush=True)  # noqa: T201  for people
    return next(iter(failed.values()), 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
