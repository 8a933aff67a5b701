"""The node at one instant, as far as it could be read."""

from dataclasses import dataclass
from datetime import datetime

from pausewatch.model.access import AccessFact
from pausewatch.model.address_pool import AddressPool
from pausewatch.model.availability import Unavailable
from pausewatch.model.clock_step import ClockStep, seconds_between
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.membership import Membership, Monitor
from pausewatch.model.network_pin import NetworkPin
from pausewatch.model.pause_usage import PauseUsage
from pausewatch.model.pid_limit import PidLimit
from pausewatch.model.pod import Pod, WaitingPod
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.process import FirstProcess, Placement, Process
from pausewatch.model.sandbox import Container, Sandbox
from pausewatch.model.sandbox_image import SandboxImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The container runtime behind the CRI socket."""

    name: str
    """``containerd``, ``cri-o``, ``docker``."""

    version: str
    endpoint: str
    """``unix:///run/containerd/containerd.sock``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedNamespace:
    """A namespace held by a file instead of a process, as CRI-O and containerd's network namespaces are."""

    path: str
    """As the runtime names it."""

    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedOwner:
    """A sandbox or container that was not the same at the end of a scan as at its beginning, or may not have been.

    What was read of it may belong to two different instants, so no observation may rest on it in this scan.
    """

    owner_id: str
    """The CRI id of the sandbox or container."""

    reason: str
    """What changed, in words: ``is no longer running``, ``has exited``."""

    is_known: bool = True
    """False where nobody could tell: the runtime or the API server did not answer. What was found before and rests on
    it is then neither seen again nor gone."""


NO_API_SERVER = Unavailable(
    reason="NoApiServer", detail="no API server was asked", remedy="see the report of the agent on this node"
)
"""What a scan of one node by hand knows of the pods in the API."""

NOT_READ = Unavailable(reason="NotRead", detail="nothing reads this here")
"""Stands in a section for which a Snapshot was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that checks may know. Sections are read in the order CRI, /proc, API."""

    node_name: str
    taken_at: datetime
    """Wall clock, UTC, at the end of the reads: for times that people read."""

    uptime_seconds: float
    """Boot clock at the same moment: for durations, which a stepped wall clock must not change."""

    boot_id: str
    """``/proc/sys/kernel/random/boot_id``: pids, ticks and inode numbers mean nothing across boots."""

    cgroup_version: str
    """``v1``, ``v2`` or ``hybrid``; empty if it could not be told."""

    runtime: Runtime | Unavailable
    sandboxes: tuple[Sandbox, ...] | Unavailable
    containers: tuple[Container, ...] | Unavailable
    host_links: NamespaceLinks | Unavailable
    """The node's own namespaces: those of the process that listens on the CRI socket."""

    first_processes: tuple[FirstProcess, ...] | Unavailable
    """Of every sandbox with a pause and every RUNNING container; those that are gone are left out."""

    pinned_namespaces: tuple[PinnedNamespace, ...]
    """Of the sandboxes without a readable pause; a path that could not be read is left out."""

    processes: tuple[Process, ...] | Unavailable
    """Every process of the node, ordered by pid."""

    placements: tuple[Placement, ...]
    """Of the zombies and their parents."""

    pods: tuple[Pod, ...] | Unavailable = NO_API_SERVER
    """The pods bound to this node, in the API."""

    waiting_pods: tuple[WaitingPod, ...] | Unavailable = NO_API_SERVER
    """Those of ``pods`` that may have no sandbox because none could be made."""

    memberships: tuple[Membership, ...] | Unavailable = NOT_READ
    """Of every process but kernel threads and zombies, ordered by pid."""

    monitors: tuple[Monitor, ...] | Unavailable = NOT_READ
    """Shims and conmons in the mount namespace of the runtime, ordered by pid."""

    pause_usages: tuple[PauseUsage, ...] | Unavailable = NOT_READ
    """Of the pauses of ready sandboxes."""

    pid_limits: tuple[PidLimit, ...] | Unavailable = NOT_READ
    """The bounds that containers with zombies run into, and the machine's own."""

    pod_networks: tuple[PodNetwork, ...] | Unavailable = NOT_READ
    """Of ready sandboxes with a network namespace of their own and a process inside it."""

    network_pins: tuple[NetworkPin, ...] | Unavailable = NOT_READ
    """Those with a name of the runtime's pattern that no listed sandbox owns, by path."""

    address_pools: tuple[AddressPool, ...] | Unavailable = NOT_READ
    """Of the CNI networks that use host-local; empty where none does."""

    sandbox_image: SandboxImage | Unavailable = NOT_READ

    changed_owners: tuple[ChangedOwner, ...] = ()
    """Filled by the second reading of what a candidate rests on."""

    access: tuple[AccessFact, ...] = ()
    """What this process may and may not see; never judged, shown to people."""

    clock_steps: tuple[ClockStep, ...] = ()
    """Of the wall clock, since this node is looked at; oldest first."""

    def age_seconds(self, unix_seconds: float) -> float:
        """Return how long ago a time stamp of a file was, as far as that can be known: at most since boot.

        A machine without a battery for its clock starts in the past and learns the time minutes later; what was made
        in between would look years old.
        """
        return min(seconds_between(unix_seconds, self.taken_at.timestamp(), self.clock_steps), self.uptime_seconds)


NODE_SECTIONS = ("sandboxes", "containers", "host_links", "first_processes", "processes")
"""What is read on the node itself; a scan that lacks one of them is not complete."""

DETAIL_SECTIONS = (
    "memberships",
    "monitors",
    "pause_usages",
    "pid_limits",
    "pod_networks",
    "network_pins",
    "address_pools",
    "sandbox_image",
)
"""What is read on the node for some checks only; without it those are skipped."""

SECTIONS = (*NODE_SECTIONS, *DETAIL_SECTIONS, "pods", "waiting_pods")
"""The sections that a check may declare as needed."""
