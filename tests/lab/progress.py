"""What the lab tells the person in front of it: one line per step, on standard error."""

import sys


def say(text: str) -> None:
    """Print one line of progress; standard output stays free for what a command answers."""
    sys.stderr.write(f"lab: {text}\n")
    sys.stderr.flush()
