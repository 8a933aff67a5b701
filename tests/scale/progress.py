"""What the simulation tells the person in front of it: one line per step, on standard error."""

import sys


def say(text: str) -> None:
    """Print one line of progress; standard output stays free for the numbers."""
    sys.stderr.write(f"scale: {text}\n")
    sys.stderr.flush()
