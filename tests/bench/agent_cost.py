"""What one running agent takes of its node: CPU time, memory, threads, descriptors."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import others_cpu
from bench.pages import PagesSeen, ask_pages, await_scan
from lab.cgroups import hierarchies
from lab.processes import all_pids
from pausewatch.model.settings import Settings

KIBIBYTE = 1024
INACTIVE_LINES = {"memory.usage_in_bytes": "total_inactive_file", "memory.current": "inactive_file"}
"""Of cgroup version 1 and 2: what is charged, and the line of memory.stat with what the kernel takes back first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCost:
    """Of one agent over some scans."""

    processes: int
    """On the whole machine, which the agent reads; in the end."""

    seconds: float
    cpu_milliseconds: float
    """User and system, all threads, scans and pages."""

    resident_bytes: int
    peak_resident_bytes: int
    working_set_bytes: int | None
    """Of its cgroup, kernel memory included: what a kubelet compares with request and limit. None of a plain process,
    which shares its cgroup with others."""

    threads: int
    descriptors: int
    pages: PagesSeen

    @property
    def millicores(self) -> float:
        """Thousandths of a CPU."""
        return self.cpu_milliseconds / self.seconds


def measure_agent(pid: int, address: str, seconds: float, inside_network_of: int | None = None) -> AgentCost:
    """Let an agent work for so long, while its pages are asked as a kubelet and a Prometheus do.

    Args:
        pid: Of the agent, in our PID namespace.
        address: Of its pages, ``http://HOST:PORT``.
        seconds: How long; several of its periods.
        inside_network_of: For an agent in a pod: of a process in whose network namespace that address is.

    Raises:
        CalledProcessError: A page did not answer.
    """
    # From the middle between two scans on: one scan more or less would be a quarter of four.
    await_scan(address, inside_network_of)
    time.sleep(Settings().scan_period_seconds / 2)
    seen: list[PagesSeen] = []
    ask: Callable[[], None] = lambda: seen.append(ask_pages(address, seconds, inside_network_of))  # noqa: E731
    cpu_milliseconds = others_cpu(pid, ask)()
    status = _status(pid)
    return AgentCost(
        processes=len(all_pids()),
        seconds=seconds,
        cpu_milliseconds=cpu_milliseconds,
        resident_bytes=_kibibytes(status["VmRSS"]),
        peak_resident_bytes=_kibibytes(status["VmHWM"]),
        working_set_bytes=None if inside_network_of is None else working_set_bytes(pid),
        threads=int(status["Threads"]),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        pages=seen[0],
    )


def working_set_bytes(pid: int) -> int:
    """Return what is charged to the cgroup of a process, without file pages that were not used lately.

    Source: cadvisor's container/libcontainer/handler.go, setMemoryStats: the working set, which a kubelet evicts by.

    Raises:
        LookupError: The process is in no cgroup that counts memory.
    """
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        wanted = "memory.usage_in_bytes" if controllers else "memory.current"
        if controllers and "memory" not in controllers.split(","):
            continue
        for directory in (hierarchy.directory(path) for hierarchy in hierarchies()):
            if (directory / wanted).exists():
                lines = (one.split() for one in (directory / "memory.stat").read_text(encoding="ascii").splitlines())
                return int((directory / wanted).read_text()) - int(dict(lines)[INACTIVE_LINES[wanted]])
    raise LookupError(f"no cgroup of process {pid} counts memory")


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _kibibytes(value: str) -> int:
    return int(value.split(maxsplit=1)[0]) * KIBIBYTE
