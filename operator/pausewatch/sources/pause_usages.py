"""What the pauses of ready sandboxes use, from the text that the sweep over all processes has read anyway."""

import os
from dataclasses import dataclass
from pathlib import Path

from pausewatch.model.availability import Unavailable
from pausewatch.model.pause_usage import PauseUsage
from pausewatch.model.process import Identity
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.place import Place
from pausewatch.sources.procfs.errors import ProcFormatError
from pausewatch.sources.procfs.process_stat import parse_usage

LEAST_MEASURED_SECONDS = 10
"""Between two looks at the CPU time of a pause. The kernel counts in hundredths of a second: over a shorter time a
single tick would pass for a busy pause."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True, kw_only=True)
class _Known:
    raw: bytes
    usage: PauseUsage
    measured_cpu_seconds: float
    measured_at: float
    """Boot-clock seconds."""


class PauseUsages:
    """Measures pauses, scan after scan. A pause that does not run costs next to nothing: its text stays the same."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def read(self, so_far: Snapshot, place: Place) -> tuple[PauseUsage, ...] | Unavailable:
        """Return what the pause of each ready sandbox uses, in the order of the sandboxes' first processes."""
        if isinstance(so_far.sandboxes, Unavailable):
            return so_far.sandboxes
        if isinstance(so_far.first_processes, Unavailable):
            return so_far.first_processes
        ready = {one.id for one in so_far.sandboxes if one.state is SandboxState.READY}
        remembered: dict[str, _Known] = {}
        for first in so_far.first_processes:
            if first.owner_id in ready and first.in_own_cgroup:
                known = self._measure(first.owner_id, first.identity, so_far.uptime_seconds, place)
                if known is not None:
                    remembered[first.owner_id] = known
        self._known = remembered
        return tuple(known.usage for known in remembered.values())

    def _measure(self, sandbox_id: str, identity: Identity, now: float, place: Place) -> _Known | None:
        raw = place.stat_of(identity.pid)
        if raw is None:
            return None
        known = self._known.get(sandbox_id)
        if known is not None and known.usage.identity != identity:
            known = None
        if known is not None and known.raw is raw:
            if not known.usage.cpu_percent:
                known.measured_at = now
            if now - known.measured_at < LEAST_MEASURED_SECONDS:
                return known
        try:
            usage = parse_usage(raw)
        except ProcFormatError:  # the sweep has understood the same line, so this is a kernel of another kind
            return None
        if known is None:
            percent = _percent(usage.cpu_seconds, identity.age_seconds(now)) or 0
            measured = (usage.cpu_seconds, now)
        else:
            last = _percent(usage.cpu_seconds - known.measured_cpu_seconds, now - known.measured_at)
            percent = known.usage.cpu_percent if last is None else last
            measured = (known.measured_cpu_seconds, known.measured_at) if last is None else (usage.cpu_seconds, now)
        return _Known(
            raw=raw,
            usage=PauseUsage(
                sandbox_id=sandbox_id,
                identity=identity,
                resident_bytes=usage.resident_pages * _PAGE_BYTES,
                cpu_seconds=usage.cpu_seconds,
                program=_program(place, identity.pid),
                cpu_percent=percent,
            ),
            measured_cpu_seconds=measured[0],
            measured_at=measured[1],
        )


def _percent(cpu_seconds: float, elapsed_seconds: float) -> float | None:
    """Return the part of one CPU; None if the time is too short to tell."""
    return cpu_seconds / elapsed_seconds * 100 if elapsed_seconds >= LEAST_MEASURED_SECONDS else None


def _program(place: Place, pid: int) -> str:
    """Return the name of the program file; empty if the link may not be read, or the process is gone."""
    try:
        target = str(Path(place.proc, f"{pid}/exe").readlink())
    except OSError:  # nothing is said about a program that nobody saw
        return ""
    return printable(target.removesuffix(" (deleted)").rpartition("/")[2])
