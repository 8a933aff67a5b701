"""Telling the story: steps, commands with their real output, and claims that stop it when they are false."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


class FalseClaimError(Exception):
    """The demonstration said something that is not so."""


class Story:
    """Prints as it goes; the same on a terminal and in a log."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._step = 0
        self._claims = 0
        self._began = time.monotonic()

    def step(self, title: str) -> None:
        """Begin a new part."""
        self._step += 1
        elapsed = time.monotonic() - self._began
        self._print(f"\n=== {self._step}/{self._steps}  {title}  ({elapsed:.0f} s)")

    def say(self, text: str) -> None:
        """Explain."""
        self._print(text)

    def claim(self, text: str, *, true: bool) -> None:
        """State something that was just checked.

        Raises:
            FalseClaimError: It is not so.
        """
        if not true:
            raise FalseClaimError(text)
        self._claims += 1
        self._print(f"  [checked] {text}")

    def command(self, *command: str) -> str:
        """Show a command and its whole output, as a user would see them, and return that.

        Raises:
            FalseClaimError: It failed.
        """
        return self._typed(shlex.join(command), _real(command), os.environ)

    def line(self, line: str, **environment: str) -> str:
        """Show a command line and what it prints when it is pasted into a shell, and return that.

        Args:
            line: As a report gives it.
            environment: All that the shell knows.

        Raises:
            FalseClaimError: It failed.
        """
        return self._typed(line, ["sh", "-c", line], environment)

    def _typed(self, shown: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
        self._print(f"\n$ {shown}")
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        self._print(done.stdout.rstrip("\n"))
        if done.returncode:
            raise FalseClaimError(f"`{shown}` ends with exit code 0, not {done.returncode}")
        return done.stdout

    def end(self) -> None:
        """Close with the number of claims."""
        elapsed = time.monotonic() - self._began
        self._print(f"\nAll {self._claims} claims were checked and are true ({elapsed:.0f} s).")

    @staticmethod
    def _print(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _real(command: Sequence[str]) -> list[str]:
    """Run pausewatch from this checkout, whether it is installed or not."""
    program, *arguments = command
    return [sys.executable, "-m", "pausewatch", *arguments] if program == "pausewatch" else [program, *arguments]
