"""The program as a test runs it: in this process where only its words matter, else as people start it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

import pausewatch
from pausewatch.cli.main import program
from pausewatch.model.snapshot import Snapshot
from pausewatch.recording import Redaction, write

COMMAND = (sys.executable, "-m", "pausewatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The one line that people read when something is wrong."""
        (line,) = self.stderr.splitlines()
        assert line.isprintable()
        assert line.startswith("pausewatch: ")
        return line.removeprefix("pausewatch: ")


def run(*arguments: str, stdin: str = "", **variables: str) -> Ended:
    """Run the program in this process, its output going into a pipe."""
    result = CliRunner().invoke(program, arguments, prog_name="pausewatch", input=stdin, env=variables)
    return Ended(code=result.exit_code, stdout=result.stdout, stderr=result.stderr)


def environment(**variables: str) -> Mapping[str, str]:
    """Return what a started program needs to find the package, and nothing that changes its output."""
    here = str(Path(pausewatch.__file__).parents[1])
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return kept | {"PYTHONPATH": here} | variables


def start(*arguments: str, stdout: int = subprocess.PIPE, **variables: str) -> "subprocess.Popen[str]":
    """Start the program as a process of its own."""
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment(**variables)
    )


def finish(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a started program."""
    stdout, stderr = process.communicate(timeout=30)
    return Ended(code=process.returncode, stdout=stdout or "", stderr=stderr)


def a_recording(path: Path, *looks: Snapshot) -> str:
    """Write a recording and return its path."""
    write(path, looks, Redaction.NONE)
    return str(path)
