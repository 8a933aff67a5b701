"""What many looks do to one process: its memory, and how often the runtime is asked.

A process of its own, so that nothing but the scan is in it: ``python -m bench.endurance ENDPOINT LOOKS``.
"""

import json
import os
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.costs import Looker
from pausewatch.model.availability import Unavailable
from pausewatch.model.settings import Settings
from pausewatch.scan import Look
from pausewatch.sources.collector import Collector
from support.image_environment import image_variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """What was seen of one process."""

    looks: int
    settled_rss_bytes: int
    """Resident memory after half of them: until then caches and the allocator's lists still find their size."""

    last_rss_bytes: int
    settled_descriptors: int
    """Open files after half of them, beyond one for each process that there is."""

    last_descriptors: int
    allocated_bytes: int
    """What one of the later looks had allocated at its peak, by Python's own count."""

    first_calls: Mapping[str, int]
    """Of the first look to the runtime, by method of the CRI."""

    later_calls: Mapping[str, int]
    """Of all looks after it."""


def endure(endpoint: str, looks: int) -> Endurance:
    """Return what ``looks`` looks at the node, two at least, did to a process of their own."""
    command = [sys.executable, "-m", "bench.endurance", endpoint, str(looks)]
    environment = {**os.environ, **image_variables(), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return Endurance(**json.loads(done.stdout))


def _endure_here(endpoint: str, looks: int) -> Endurance:
    settings = Settings(runtime_endpoint=endpoint)
    with Collector(settings) as collector:
        looker = Looker(collector, settings)
        found = looker.look()
        first_calls = dict(collector.runtime_calls)
        settling = looks // 2
        for _ in range(settling - 1):
            found = looker.look()
        settled = (_resident_bytes(), _descriptors(found))
        for _ in range(looks - settling):
            found = looker.look()
        later_calls = {method: calls - first_calls[method] for method, calls in collector.runtime_calls.items()}
        last = (_resident_bytes(), _descriptors(found))
        return Endurance(
            looks=looks,
            settled_rss_bytes=settled[0],
            last_rss_bytes=last[0],
            settled_descriptors=settled[1],
            last_descriptors=last[1],
            allocated_bytes=_allocated_bytes(looker),
            first_calls=first_calls,
            later_calls=later_calls,
        )


def _allocated_bytes(looker: Looker) -> int:
    # tracemalloc's own memory is why this comes after all that is about resident memory.
    tracemalloc.start()
    looker.look()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    looker.look()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


def _descriptors(found: Look) -> int:
    processes = found.snapshot.processes
    return len(list(Path("/proc/self/fd").iterdir())) - (0 if isinstance(processes, Unavailable) else len(processes))


def _resident_bytes() -> int:
    """Return the second field of ``/proc/self/statm`` (proc_pid_statm(5)), which is in pages."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_endure_here(sys.argv[1], int(sys.argv[2])))))
