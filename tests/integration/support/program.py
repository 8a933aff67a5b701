"""pausewatch as a person types it: a program in a process of its own, that knows of a lab by its environment only."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import lab as lab_package
import pausewatch
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

#: Longest run of one command; a scan of a lab takes about a second.
COMMAND_SECONDS = 30.0


@dataclass(frozen=True)
class Program:
    """The command ``pausewatch`` on PATH, and the environment that it runs in.

    Attributes:
        directory: Where the command stands, and where output goes that is followed.
        environment: The whole environment; nothing of the test's own is inherited.
    """

    directory: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run ``pausewatch`` with arguments, and return what it wrote to standard output.

        Raises:
            AssertionError: It ended with another exit code than expected, or wrote a trace.
        """
        return self._finish([str(self.directory / "pausewatch"), *arguments], expect).stdout

    def complaint(self, *arguments: str, expect: int) -> str:
        """Run ``pausewatch`` with arguments that can not work, and return the one line that it says about it.

        Raises:
            AssertionError: It ended with another exit code than expected, or wrote anything else.
        """
        done = self._finish([str(self.directory / "pausewatch"), *arguments], expect)
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        return line

    def shell(self, command: str) -> str:
        """Run a command line in a shell as it stands, and return what it wrote; it must end with 0."""
        return self._finish(["sh", "-c", command], 0).stdout

    @contextmanager
    def follow(self, *arguments: str) -> Iterator["Followed"]:
        """Run ``pausewatch`` in the background; it is interrupted, as by Ctrl-C, in the end."""
        output = self.directory / "followed"
        with output.open("w") as file:
            process = subprocess.Popen(
                [self.directory / "pausewatch", *arguments], stdout=file, stderr=subprocess.STDOUT, env=self.environment
            )
        try:
            yield Followed(output)
            process.send_signal(signal.SIGINT)
            assert process.wait(COMMAND_SECONDS) == 130, output.read_text()
        finally:
            process.kill()
            process.wait()

    def within(self, **environment: str) -> "Program":
        """Return the same program with more, or other, environment."""
        return replace(self, environment={**self.environment, **environment})

    def elsewhere(self) -> "Elsewhere":
        """Return the same program on what is as good as another machine."""
        return Elsewhere(self.directory, {"PATH": os.defpath})

    def inside(self, lab: RuntimeLab) -> "Inside":
        """Return the same program in the lab's mount and network namespaces, as a shell on a real node is."""
        return Inside(self.directory, self.environment, lab.containerd.pid)

    def with_less(self, lab: RuntimeLab, *wrapper: str) -> "Inside":
        """Return the same program in the lab's namespaces, started by a command that takes rights or a view away."""
        return Inside(self.directory, self.environment, lab.containerd.pid, wrapper)

    def _finish(self, command: list[str], expect: int) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment, timeout=COMMAND_SECONDS, check=False
        )
        assert done.returncode == expect, f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done


class Elsewhere(Program):
    """A program without environment, that sees no process but its own and nothing below /run."""

    def _finish(self, command: list[str], expect: int) -> "subprocess.CompletedProcess[str]":
        alone = 'mount -t tmpfs none /run && exec "$@"'
        unshare = ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc"]
        return super()._finish([*unshare, "sh", "-c", alone, "sh", *command], expect)


@dataclass(frozen=True)
class Inside(Program):
    """A program in the mount and network namespaces of a process.

    Attributes:
        pid: The process.
        wrapper: A command that the program is started by; none if it is empty.
    """

    pid: int
    wrapper: tuple[str, ...] = ()

    def _finish(self, command: list[str], expect: int) -> "subprocess.CompletedProcess[str]":
        return super()._finish(["nsenter", f"--target={self.pid}", "--mount", "--net", *self.wrapper, *command], expect)


@dataclass(frozen=True)
class Followed:
    """A program that runs on while its output is read."""

    output: Path

    def line_with(self, *words: str, limit_seconds: float = 15.0) -> str:
        """Wait for a line that holds all of the words, and return it.

        Raises:
            WaitTimeoutError: None came within the limit.
        """

        def probe() -> str:
            lines = self.output.read_text().splitlines()
            return next((line for line in lines if all(word in line for word in words)), "")

        return wait_until(f"a line with {', '.join(words)}", probe, limit_seconds)


def installed(directory: Path, lab: RuntimeLab) -> Program:
    """Put ``pausewatch`` of this checkout, ``crictl`` and ``ctr`` into a directory, for use on a lab's node.

    Its two looks are a tenth of a second apart instead of a whole one, so that a test need not wait.
    """
    _put(directory / "pausewatch", "pausewatch", Path(pausewatch.__file__).parents[1])
    _put(directory / "crictl", "lab.crictl", Path(lab_package.__file__).parents[1])
    (directory / "ctr").symlink_to(lab.programs.bin / "ctr")
    environment = {
        "PATH": f"{directory}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "CONTAINER_RUNTIME_ENDPOINT": lab.endpoint,
        "PAUSEWATCH_RUNTIME_ENDPOINT": lab.endpoint,
        "PAUSEWATCH_NODE_NAME": "lab-node",
        "PAUSEWATCH_LOOK_INTERVAL_SECONDS": "0.1",
    }
    return Program(directory, environment)


def _put(command: Path, module: str, source: Path) -> None:
    """Make a command of a Python module."""
    command.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {sys.executable} -m {module} "$@"\n')
    command.chmod(0o755)
