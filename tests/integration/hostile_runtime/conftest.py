"""A hostile runtime in front of a lab's real one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab


@dataclass(frozen=True)
class Fronted(RuntimeLab):
    """A lab as those see it who connect to somebody in front of its runtime.

    Attributes:
        socket: Where that one listens.
    """

    socket: Path

    @property
    def endpoint(self) -> str:
        """The CRI endpoint in front."""
        return f"unix://{self.socket}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileRuntime:
    """A liar in front of a lab's runtime, in a process of its own.

    Attributes:
        lab: The lab, by way of the liar.
        commands: Its standard input.
        answers: Its standard output.
    """

    lab: Fronted
    commands: IO[str]
    answers: IO[str]

    @contextmanager
    def lying(self, name: str) -> Iterator[None]:
        """Lie in one way meanwhile."""
        self._command(name)
        try:
            yield
        finally:
            self._command("")

    def _command(self, line: str) -> None:
        self.commands.write(f"{line}\n")
        self.commands.flush()
        assert self.answers.readline() == "ok\n", "the hostile runtime has ended"


@pytest.fixture(scope="module")
def hostile_runtime(runtime_lab: RuntimeLab) -> Iterator[HostileRuntime]:
    """Two healthy pods of a real runtime, and a liar in front of it."""
    runtime_lab.run(Pod("two", containers=(Container("app"), Container("side"))))
    runtime_lab.run(Pod("shared", containers=(Container("app"),), share_pid=True))
    socket = runtime_lab.places.socket.with_name("hostile.sock")
    # In the namespaces of the runtime: those of the process behind the socket are the node's own.
    command = [
        *("nsenter", f"--target={runtime_lab.containerd.pid}", "--mount", "--net", "--ipc", "--uts"),
        *(sys.executable, "-m", "integration.hostile_runtime.server", runtime_lab.places.socket, socket),
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "the hostile runtime did not start"
            lab = runtime_lab
            fronted = Fronted(lab.places, lab.version, lab.programs, lab.client, socket)
            yield HostileRuntime(lab=fronted, commands=process.stdin, answers=process.stdout)
        finally:
            process.kill()
            socket.unlink(missing_ok=True)
            runtime_lab.remove_all_pods()
