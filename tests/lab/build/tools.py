"""Running the programs that build: never silent for long, never endless, and with a log when they fail."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from lab.errors import BuildError
from lab.progress import say

#: Seconds between two lines about a command that still runs.
_HEARTBEAT_SECONDS = 9.0
#: Seconds after which a build is given up: twenty times what the slowest takes on two cores.
_LIMIT_SECONDS = 1200.0
_LOG_TAIL_LINES = 25


def run_build_step(
    what: str, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run one command of a build, at low priority, saying every 9 s that it still runs.

    Args:
        what: How the lines name it, "containerd 2.4.2".
        command: Program and arguments.
        cwd: Where it runs.
        env: What is added to the environment.

    Raises:
        BuildError: It failed or took longer than 20 min; ends with the last 25 lines it printed.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        process = subprocess.Popen(
            ["nice", *command], cwd=cwd, env={**os.environ, **(env or {})}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    status = process.wait(timeout=_HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    elapsed = time.monotonic() - began
                    say(f"still building {what} ({elapsed:.0f} s)")
                    if elapsed > _LIMIT_SECONDS:
                        raise BuildError(f"{what}: not done after {elapsed:.0f} s{_tail(log)}") from None
        finally:
            process.kill()
            process.wait()
        if status:
            raise BuildError(f"{what}: {' '.join(map(str, command))} ended with {status}{_tail(log)}")


def need_tools(programs: Mapping[str, str]) -> None:
    """Make sure that programs are there, installing Debian's build packages for those that are not.

    Only compilers and the like are ever installed: nothing that brings a service.

    Args:
        programs: Program name to the Debian package that holds it.

    Raises:
        BuildError: One is missing and could not be installed.
    """
    install_packages(sorted({package for program, package in programs.items() if not shutil.which(program)}))


def install_packages(packages: Sequence[str]) -> None:
    """Install Debian packages with apt-get; with an empty list, do nothing.

    Raises:
        BuildError: There is no apt-get, or it failed.
    """
    if not packages:
        return
    what = f"build tools ({', '.join(packages)})"
    if not shutil.which("apt-get"):
        raise BuildError(f"missing {what}, and there is no apt-get to install them with")
    say(f"installing {what}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    try:
        run_build_step(what, install, env=quiet)
    except BuildError:
        # The usual reason is a package list that is missing or old.
        run_build_step("package lists", ["apt-get", "update"])
        run_build_step(what, install, env=quiet)


def _tail(log: IO[str]) -> str:
    log.seek(0)
    lines = log.read().splitlines()[-_LOG_TAIL_LINES:]
    return "\n  " + "\n  ".join(lines) if lines else ""
