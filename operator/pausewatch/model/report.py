"""What a scan found: the values that all sinks render."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.model.snapshot import Runtime
from pausewatch.model.subject import Subject

LASTED_LOOKS = 2
"""So often something has to be seen before people are told that it may become a finding."""


class Severity(StrEnum):
    """How bad a finding is; ordered by ``rank``."""

    CRITICAL = "Critical"
    WARNING = "Warning"
    INFO = "Info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Outcome(StrEnum):
    """What became of one check in one scan."""

    PASS = "PASS"  # noqa: S105  an outcome, not a secret
    FAIL = "FAIL"
    SKIP = "SKIP"
    """It could not be judged: an input is missing. Never a statement about the node."""

    ERROR = "ERROR"
    """The check itself broke: our bug, never the node's fault."""


class RunOn(StrEnum):
    """Where a command is to be typed."""

    NODE = "node"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One fact that proves a finding, and that a sceptic can read on the node by hand."""

    name: str
    """camelCase, as in the resource."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCommand:
    """What to type next. Holds only ids and Kubernetes names, shell-quoted: never a process name."""

    run_on: RunOn
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a check sees in one Snapshot, before persistence and ignore rules."""

    reason: str
    severity: Severity
    subject: Subject
    part: str = ""
    """Tells several observations about one subject apart; see ``Subject.finding_id``."""

    message: str
    """One sentence: subject, number, bound, consequence. True when read later: absolute times, coarse numbers."""

    evidence: tuple[Evidence, ...]
    next_commands: tuple[NextCommand, ...]
    """Least destructive first."""

    rests_on: tuple[str, ...]
    """CRI ids of the containers and sandboxes whose processes it rests on: read once more before it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An observation that lasted as long as its check asks for."""

    id: str
    check: str
    reason: str
    severity: Severity
    subject: Subject
    message: str
    evidence: tuple[Evidence, ...]
    next_commands: tuple[NextCommand, ...]
    first_seen_at: datetime

    @property
    def sort_key(self) -> tuple[int, str, tuple[str, ...], str]:
        """Worst first, then by check and subject; total, so that two scans of one state give one order."""
        return (self.severity.rank, self.check, self.subject.sort_key, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What was seen, and has not lasted as long as its check asks for: told to whoever looks, stored nowhere."""

    finding: Finding
    """What it becomes if it lasts."""

    looks: int
    """Consecutive scans in which it was seen so far."""

    looks_needed: int
    seconds_needed: float
    """How long it has to last, from its first sight on."""

    @property
    def is_worth_telling(self) -> bool:
        """Whether people are told: what a single look shows may be a container that is just starting or stopping."""
        return self.looks >= LASTED_LOOKS and self.finding.severity is not Severity.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The outcome of one check, with what it could not judge."""

    check: str
    outcome: Outcome
    reason: str = ""
    """CamelCase, for SKIP and ERROR."""

    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts for the first line that people read."""

    sandboxes: int
    ready_sandboxes: int
    container_states: Mapping[ContainerState, int]
    """How many containers are in each state; a state without any is left out."""

    pause_processes: int
    pause_memory_bytes: int | None
    """Resident, of the pauses of ready sandboxes that are pauses; None where they could not be measured."""

    pid_namespaces: int
    zombies: int

    @property
    def containers(self) -> int:
        """The number of containers, in every state."""
        return sum(self.container_states.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the scan did not judge."""

    not_comparable_sandboxes: int
    """Of runtimes whose processes on the host are not the pod's own: gVisor, Kata."""

    unreadable_processes: int
    """First processes whose namespace links could not be read for want of permission."""

    ignored_findings: int
    unreadable_remedy: str = ""
    """What to do about them, starting with a verb; it names no single process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One scan, judged."""

    node_name: str
    taken_at: datetime
    runtime: Runtime | Unavailable
    cgroup_version: str
    sandbox_image: SandboxImage | Unavailable
    """What the next sandbox is made from."""

    sandbox_images: tuple[str, ...]
    """Images that the pauses of ready sandboxes run, sorted."""

    summary: Summary
    zombie_holders: tuple[tuple[Subject, int], ...]
    """Containers, and sandboxes themselves, that hold zombies, with how many; most first. Zombies of no pod are in
    ``summary.zombies`` only."""

    coverage: Coverage
    unavailable: tuple[tuple[str, Unavailable], ...]
    """Sections of the Snapshot that could not be read, and what the runtime did not tell of what it lists, by name."""

    results: tuple[CheckResult, ...]
    """One per check, by id."""

    findings: tuple[Finding, ...]
    """Worst first, uncapped."""

    suspicions: tuple[Suspicion, ...] = ()
    """Worst first."""

    def count(self, severity: Severity) -> int:
        """Return the number of findings of one severity."""
        return sum(finding.severity is severity for finding in self.findings)
