"""Telling the story: steps, commands with their real output, and claims that stop it when they are false."""

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence


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

    def command(self, *command: str, expect: int = 0) -> str:
        """Show a command and its whole output, as a user would see them.

        Raises:
            FalseClaimError: It ended with another exit code than expected.
        """
        self._print(f"\n$ {shlex.join(command)}")
        output = self.quiet_command(*command, expect=expect)
        self._print(output.rstrip("\n"))
        return output

    def quiet_command(self, *command: str, expect: int = 0) -> str:
        """Run a command and return what it printed.

        Raises:
            FalseClaimError: It ended with another exit code than expected.
        """
        done = subprocess.run(_real(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != expect:
            raise FalseClaimError(
                f"`{shlex.join(command)}` ends with exit code {expect}, not {done.returncode}:\n{done.stdout}"
            )
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
