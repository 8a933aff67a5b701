import os
import pty
import subprocess
import sys

from cli.running import environment

# A patience of nothing, and work that ends when the note was read: no test waits for a clock.
WORKING = """
import sys
from pausewatch.cli import streams
streams.PATIENCE_SECONDS = 0.0
with streams.patience("reading the container runtime"):
    sys.stdin.readline()
"""


def test_patience_is_a_line_that_goes_again() -> None:
    """A person at a terminal learns what takes so long, and the line does not stay."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", WORKING], stdin=subprocess.PIPE, stderr=follower, env=environment(), text=True
    )
    os.close(follower)
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        shown = b""
        while not shown.endswith(b" ..."):
            shown += terminal.read(64)
        process.communicate("\n", timeout=30)
        erased = terminal.read(64)

    assert shown == b"pausewatch: reading the container runtime ..."
    assert erased == b"\r\x1b[K"


def test_patience_is_silent_elsewhere() -> None:
    """A log of stderr holds messages only."""
    ended = subprocess.run(
        [sys.executable, "-c", WORKING], input="\n", capture_output=True, text=True, env=environment(), check=True
    )

    assert ended.stderr == ""


def test_patience_tells_how_far_it_is() -> None:
    """The line is replaced, not followed by another."""
    working = WORKING.replace(
        'container runtime"):',
        'container runtime") as waiting:\n    sys.stdin.readline()\n    waiting.tell("500 so far")',
    )
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", working], stdin=subprocess.PIPE, stderr=follower, env=environment(), text=True
    )
    os.close(follower)
    assert process.stdin is not None
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        shown = b""
        while not shown.endswith(b" ..."):
            shown += terminal.read(64)
        process.stdin.write("\n")
        process.stdin.flush()
        shown = b""
        while not shown.endswith(b" ..."):
            shown += terminal.read(64)
        process.communicate("\n", timeout=30)

    assert shown == b"\r\x1b[Kpausewatch: 500 so far ..."
