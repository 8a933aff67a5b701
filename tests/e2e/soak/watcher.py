"""Who looks at every scan of an agent: what it tells, and what it costs the agent."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from e2e.soak.kind import Told
from e2e.soak.ledger import Ledger
from e2e.support.agent import Agent
from e2e.support.exposition import Exposition
from support.background import Background

PAUSE_SECONDS = 0.4
"""Between two looks: several in one period of a scan."""

SCANS = "pausewatch_scans_total"
FINDINGS = "pausewatch_finding_first_seen_timestamp_seconds"
CHECKS = "pausewatch_checks"
DURATIONS = "pausewatch_last_scan_duration_seconds"
CRASHES = "pausewatch_scan_crashes_total"
KEPT_FILE = re.compile(r"/(\d+)/schedstat")
"""What the sweep over /proc keeps of each process, and once more of the first ones of containers."""

NAMES = (SCANS, FINDINGS, CHECKS, DURATIONS, CRASHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What an agent was after a scan."""

    scan: int
    seconds: float
    """How long the scan took."""

    resident_mib: float
    descriptors: int
    """Files it holds open, but those of processes that live: it keeps one or two of each, however many there are."""


class Watcher(Background):
    """Reads the metrics of an agent after each scan, in a thread of its own. Use it as a context manager.

    Attributes:
        samples: One for each scan.
        skipped: How many checks the last scan skipped.
    """

    def __init__(self, agent: Agent, ledger: Ledger) -> None:
        """Prepare."""
        super().__init__("watcher", end_seconds=30)
        self.samples: list[Sample] = []
        self.skipped = 0
        self._agent = agent
        self._ledger = ledger

    @property
    def scan(self) -> int:
        """The number of the last scan that was looked at."""
        return self.samples[-1].scan if self.samples else 0

    def _work(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            self._look()

    def _look(self) -> None:
        page = self._agent.page("/metrics")
        assert page.status == 200, page
        # All of it would take longer to read than what is looked for.
        lines = (line for line in page.text.splitlines() if any(name in line for name in NAMES))
        metrics = Exposition("\n".join((*lines, "")))
        scan = int(metrics.total(SCANS))
        if scan == self.scan:
            return
        assert scan > self.scan, f"the agent has begun anew: scan {scan} comes after {self.scan}"
        if self.samples:
            self._ledger.miss(range(self.scan + 1, scan))
        told = {
            Told(one.labels["reason"], one.labels["severity"], one.labels["pod"]) for one in metrics.samples(FINDINGS)
        }
        self.skipped = int(metrics.total(CHECKS, outcome="SKIP"))
        broken = int(metrics.total(CHECKS, outcome="ERROR") + metrics.total(CRASHES))
        ending = {one.pod for one in told if one.severity == "Info" and one.pod and self._is_ending(one.pod)}
        self._ledger.see(scan, told, skipped=self.skipped, broken=broken, ending=ending)
        self.samples.append(
            Sample(
                scan=scan,
                seconds=metrics.total(DURATIONS),
                resident_mib=self._agent.resident_mib(),
                descriptors=open_files(self._agent.process.pid),
            )
        )

    def _is_ending(self, pod: str) -> bool:
        """Whether a pod is deleted, or gone from the API; not so while nobody knows."""
        if self._agent.node.get("/readyz") is None:
            return False
        text = self._agent.node.get(f"/api/v1/namespaces/lab/pods/{pod}")
        return text is None or "deletionTimestamp" in json.loads(text)["metadata"]


def open_files(pid: int) -> int:
    """Count the files that an agent holds open, without /proc/PID/schedstat of each process of its node that lives.

    Args:
        pid: Of the agent, as the machine counts; its root directory has the node's own /proc.
    """
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            kept = KEPT_FILE.search(str(entry.readlink()))
            count += kept is None or not Path(f"/proc/{pid}/root/proc/{kept[1]}").exists()
    return count
