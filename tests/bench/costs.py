"""The CPU time of one scan and of its parts, and of the programs that people use instead, taken in turns."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from bench.c_sweep import c_sweep
from bench.measure import interleaved, others_cpu, own_cpu, program_cpu, wall
from lab.waiting import wait_until
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.membership import SETTLING_SECONDS
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.scan import Look, judge, look
from pausewatch.sources.collector import Collector
from pausewatch.sources.cri.source import CriSource
from pausewatch.sources.procfs.source import ProcSource

Peers: TypeAlias = Mapping[str, Callable[[], float]]
NONE: Peers = MappingProxyType({})


class Looker:
    """Looks at one node again and again, as the agent does: each look passes its history on to the next."""

    def __init__(self, collector: Collector, settings: Settings) -> None:
        self._collector = collector
        self._settings = settings
        self._history = History()

    def look(self) -> Look:
        """Look once more."""
        found = look(self._collector, self._history, self._settings)
        self._history = found.history
        return found

    def judge_again(self, snapshot: Snapshot) -> None:
        """Do to a Snapshot that is there already what a look does with it."""
        judge(snapshot, self._history, self._settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Medians of CPU milliseconds, user and system, and what was read for them."""

    look: float
    """One warm look, whole: what the agent does in each period."""

    wall: float
    """The milliseconds that pass meanwhile, waiting for the runtime included."""

    cri: float
    """Of it: two lists from the runtime, and what is made of them."""

    proc: float
    """Of it: the sweep over all processes, and the namespace links of the first ones."""

    judging: float
    """Of it: all checks and the report."""

    runtime: float
    """What the container runtime spends meanwhile on answering; no part of ``look``."""

    c: float
    """The C program with the reads of ``proc``."""

    lsns: float

    peers: Mapping[str, float]
    """Of what else was measured in turn with these, by its name."""

    processes: int
    """Of the whole machine: what each of them reads."""

    first_processes: int
    """Whose namespace links were read."""


def measure_costs(endpoint: str, runtime_pid: int, *, rounds: int, peers: Peers = NONE) -> Costs:
    """Measure on the node as it is now.

    Args:
        endpoint: The CRI socket, ``unix:///path``.
        runtime_pid: The process behind it.
        rounds: Of each way; the median is returned.
        peers: What else to measure in turn with these: functions that return CPU milliseconds, by name.

    Raises:
        RuntimeError: The node could not be read.
    """
    settings = Settings(runtime_endpoint=endpoint)
    with ExitStack() as stack:
        looker = Looker(stack.enter_context(Collector(settings)), settings)
        wait_until("the pods to be settled", lambda: _is_settled(looker.look().snapshot), 2 * SETTLING_SECONDS)
        cri = stack.enter_context(closing(CriSource(endpoint, settings.runtime_timeout_seconds)))
        proc = stack.enter_context(closing(ProcSource()))
        snapshot = looker.look().snapshot
        wanted = _wanted(snapshot)
        in_c = stack.enter_context(c_sweep([pid for _, pid in wanted]))
        ways = {
            "look": own_cpu(looker.look),
            "wall": wall(looker.look),
            "cri": own_cpu(cri.read),
            "proc": own_cpu(lambda: proc.read(wanted)),
            "judging": own_cpu(lambda: looker.judge_again(snapshot)),
            "runtime": others_cpu(runtime_pid, looker.look),
            "c": in_c.sweep,
            "lsns": program_cpu(["lsns"]),
        }
        medians = interleaved({**ways, **peers}, rounds=rounds)
        return Costs(
            **{name: medians[name] for name in ways},
            peers={name: medians[name] for name in peers},
            processes=0 if isinstance(snapshot.processes, Unavailable) else len(snapshot.processes),
            first_processes=len(wanted),
        )


def measure_cold_scan(endpoint: str, *, rounds: int) -> float:
    """Return the median of CPU milliseconds of ``pausewatch scan`` as a process: start, two looks, table, end.

    As after an installation: the byte code is there already.
    """
    with tempfile.TemporaryDirectory() as byte_code:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = byte_code
        scan = program_cpu([sys.executable, "-m", "pausewatch", "scan", "--runtime-endpoint", endpoint], environment)
        return interleaved({"cold": scan}, rounds=rounds, warm_up=1)["cold"]


def versions() -> str:
    """Return what was measured with, in one line."""
    python = ".".join(map(str, sys.version_info[:3]))
    lsns = subprocess.run(["lsns", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    kernel = Path("/proc/sys/kernel/osrelease").read_text(encoding="ascii").split("-")[0].strip()
    return f"Linux {kernel}, {os.cpu_count()} cores, Python {python}, lsns of util-linux {lsns}"


def _is_settled(snapshot: Snapshot) -> bool:
    """Whether nothing is read once more only because it was just started: that is not what a warm look costs."""
    firsts = () if isinstance(snapshot.first_processes, Unavailable) else snapshot.first_processes
    return all(one.identity.age_seconds(snapshot.uptime_seconds) > SETTLING_SECONDS for one in firsts)


def _wanted(snapshot: Snapshot) -> list[tuple[str, int]]:
    match snapshot.first_processes:
        case Unavailable() as why:
            raise RuntimeError(f"nothing to measure: {why}")
        case first_processes:
            return [(first.owner_id, first.identity.pid) for first in first_processes]
