"""The agent on a lab's node, without an API server, held to bounds as its pod has them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import ProxyHandler, build_opener

import pausewatch
from e2e.support.exposition import Exposition
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

T = TypeVar("T")

MEMORY_LIMIT_BYTES = 128 * 2**20
"""As the chart has it."""

MEMORY_LIMIT = ("memory.limit_in_bytes", "memory.max")
"""What the two versions of cgroups call it (memory.rst, cgroup-v2.rst)."""

START_SECONDS = 120.0
"""It waits ten seconds for an API server, and a busy machine does little of its work."""

PAGE_SECONDS = 20.0
END_SECONDS = 30.0

#: Moves into the cgroup, gets a directory for temporary files without room and no other place to write to, and becomes
#: the command. It is not /tmp: the program itself may lie below that.
_CONFINED = """
for one in $LAB_CGROUPS; do echo $$ >"$one/cgroup.procs" || exit; done
mount -t tmpfs -o size=4k,nr_inodes=2 full "$TMPDIR" && (echo x >"$TMPDIR/x"; cat /dev/zero >>"$TMPDIR/x") 2>/dev/null
mount -o remount,ro "$TMPDIR" && cd "$TMPDIR" && exec "$@"
"""


@dataclass(frozen=True)
class LimitedAgent:
    """One run of ``pausewatch agent``.

    Attributes:
        process: Of the agent.
        log_file: What it writes.
        cgroups: The directories of its cgroup, in each hierarchy.
    """

    process: "subprocess.Popen[bytes]"
    log_file: Path
    cgroups: tuple[Path, ...]

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_file.read_text()

    def wait(self, what: str, probe: Callable[[], T | None], limit_seconds: float = START_SECONDS) -> T:
        """Wait as `lab.waiting.wait_until` does, but no longer than the agent lives.

        Raises:
            WaitTimeoutError: The limit was reached.
            AssertionError: The agent has ended.
        """

        def unless_dead() -> T | None:
            assert self.process.poll() is None, f"the agent ended with {self.process.returncode}: {self.log}"
            return probe()

        return wait_until(what, unless_dead, limit_seconds)

    def state(self) -> dict[str, Any]:
        """What ``/healthz`` says."""
        document: dict[str, Any] = json.loads(self._page("healthz"))
        return document

    def metrics(self) -> Exposition:
        """Scrape it."""
        return Exposition(self._page("metrics"))

    def await_scans(self, more: int) -> None:
        """Wait for so many scans more than there are now."""
        target = self.state()["scans"] + more
        self.wait(f"scan {target}", lambda: self.state()["scans"] >= target)

    def set_limit(self, value: int | str, *names: str) -> None:
        """Write a limit into the file of its cgroup, whatever the version of cgroups calls it.

        Args:
            value: The limit.
            names: Of the file, in either version.
        """
        set_limit(self.cgroups, value, *names)

    def killed_for_memory(self) -> int:
        """How many processes of its cgroup the kernel has killed for their memory (the same: ``oom_kill``)."""
        files = (directory / name for directory in self.cgroups for name in ("memory.oom_control", "memory.events"))
        told = "\n".join(file.read_text() for file in files if file.exists())
        (count,) = re.findall(r"^oom_kill (\d+)$", told, re.MULTILINE)
        return int(count)

    def number(self, *names: str) -> int:
        """What a file of its cgroup says, the first of these that is there."""
        files = (directory / name for name in names for directory in self.cgroups)
        return int(next(file for file in files if file.exists()).read_text())

    def memory(self, name: str) -> float:
        """A line of /proc/PID/status in MiB: VmRSS, VmHWM (proc(5))."""
        found = re.search(rf"^{name}:\s*(\d+) kB$", Path(f"/proc/{self.process.pid}/status").read_text(), re.MULTILINE)
        assert found
        return int(found[1]) / 1024

    def _page(self, name: str) -> str:
        # A proxy for web pages is none for this machine.
        with build_opener(ProxyHandler({})).open(f"{self._address()}/{name}", timeout=PAGE_SECONDS) as answer:
            text: str = answer.read().decode()
            return text

    def _address(self) -> str:
        found = re.search(r"http://\S+:\d+(?=/metrics)", self.log)
        assert found, f"the agent does not tell where its pages are: {self.log}"
        return found[0]


def set_limit(cgroups: Iterable[Path], value: int | str, *names: str) -> None:
    """Write a limit into the file of a cgroup, whatever the version of cgroups calls it; ``names`` are its names."""
    files = [directory / name for directory in cgroups for name in names]
    present = [file for file in files if file.exists()]
    assert present, f"none of {names} is there"
    for file in present:
        file.write_text(str(value))


@contextmanager
def running_limited_agent(lab: RuntimeLab, folder: Path, settings: Mapping[str, str]) -> Iterator[LimitedAgent]:
    """Run an agent with a scan each second and no place to write to; in the end it has to stop on SIGTERM.

    Args:
        lab: Whose node it looks at.
        folder: Where its log goes.
        settings: As environment variables.
    """
    with started_limited_agent(lab, folder, settings) as agent:
        agent.wait("its pages", lambda: "/metrics" in agent.log)
        agent.wait("two scans", lambda: agent.state()["scans"] >= 2)
        yield agent
        agent.process.terminate()
        assert agent.process.wait(END_SECONDS) == 0
        assert "Traceback" not in agent.log


@contextmanager
def started_limited_agent(
    lab: RuntimeLab, folder: Path, settings: Mapping[str, str], cgroup: str = "agent"
) -> Iterator[LimitedAgent]:
    """Start such an agent, whatever becomes of it, in a cgroup of the lab that is made unless it is there."""
    directories = tuple(lab.cgroup.create(f"{lab.cgroup.path}/{cgroup}"))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(pausewatch.__file__).parents[1]),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder / "full"),
        "KUBECONFIG": "/nowhere/kubeconfig",
        "LAB_CGROUPS": " ".join(map(str, directories)),
        "PAUSEWATCH_RUNTIME_ENDPOINT": lab.endpoint,
        "PAUSEWATCH_NODE_NAME": "lab-node",
        "PAUSEWATCH_LISTEN_ADDRESS": "127.0.0.1:0",
        "PAUSEWATCH_SCAN_PERIOD_SECONDS": "1",
        "PAUSEWATCH_LOOK_INTERVAL_SECONDS": "0.5",
        **settings,
    }
    log_file = folder / "log"
    (folder / "full").mkdir()
    with log_file.open("wb") as log:
        confined = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _CONFINED, "sh"]
        process = subprocess.Popen(
            [*confined, sys.executable, "-m", "pausewatch", "agent"], stdout=log, stderr=log, env=environment
        )
    agent = LimitedAgent(process, log_file, directories)
    try:
        yield agent
    finally:
        process.kill()
        process.wait()
        print(f"log of the agent:\n{agent.log[-20_000:]}")  # noqa: T201  shown with a failure
