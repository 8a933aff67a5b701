"""What a person finds out about one sandbox with crictl, readlink and nsenter, as values that both outputs render."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.pause_usage import PauseUsage
from pausewatch.model.pod_address import AddressedPod
from pausewatch.model.report import Finding, Report, Suspicion
from pausewatch.model.sandbox import Container, ContainerState, NamespaceMode, Sandbox, SandboxDetails
from pausewatch.model.sharing import Sharing
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView
from pausewatch.model.zombies import ZombieGroup, zombie_groups
from pausewatch.sinks.inspection_namespaces import NamespaceFacts, namespace_facts
from pausewatch.sinks.inspection_roles import container_role, pause_role, pid_one, reaper


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """A process as people know it."""

    pid: int
    name: str
    """Empty if /proc did not show it."""

    age_seconds: float
    """Since it started, by the boot clock."""

    def __str__(self) -> str:
        return f"{self.pid} {self.name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombieFacts:
    """Dead processes and who should have waited for them."""

    count: int
    parents: tuple[str, ...]
    """``2311 app (PID 1 of the container)``, the one with the most zombies first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """One container of a sandbox."""

    container: Container
    first: ProcessFacts | None
    role: str
    """Which part its first process plays in its PID namespace, in words; empty if that is not known."""

    pid_one: str
    """Who is PID 1 of the PID namespace that the container runs in; empty if that is not known."""

    namespaces: tuple[NamespaceFacts, ...]
    not_judged: str
    """Why there are no namespaces; empty where there are."""

    zombies: ZombieFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFacts:
    """One sandbox with all its containers."""

    sandbox: Sandbox
    created_at: datetime
    details: SandboxDetails | None
    not_comparable: str
    age_seconds: float
    pause: ProcessFacts | None
    no_pause: str
    """Why there is no pause process; empty where there is one."""

    pause_usage: PauseUsage | None
    """None if it was not measured, or is no pause's."""

    pause_role: str
    """What the pause does beyond holding Linux namespaces; empty if it does nothing."""

    reaper: str
    """Who inherits and reaps processes whose parent has ended."""

    held: tuple[tuple[NamespaceKind, int], ...]
    """The Linux namespaces that the sandbox holds for its pod, by its pause or by pinned files: kind and inode."""

    on_node_network: bool
    """Whether the pod asked for the node's network."""

    addresses_inside: tuple[str, ...]
    """Those in its network namespace; empty where that is not the pod's own or was not read."""

    links_up: tuple[str, ...]
    """Names of the interfaces in there that are up, without loopback; empty where that is not known."""

    network_faults: tuple[str, ...]
    """How its network namespace differs from what the runtime reports, in words."""

    containers: tuple[ContainerFacts, ...]
    zombies: ZombieFacts | None
    """Those that belong to the sandbox and to no single container."""

    findings: tuple[Finding, ...]
    """About it or its containers, worst first."""

    suspicions: tuple[Suspicion, ...]
    """What was seen of it that has not lasted long enough to be a finding, worst first."""

    @property
    def is_sick(self) -> bool:
        """Whether something is wrong with it, or seems to be."""
        return bool(self.findings or self.suspicions)


def is_about(subject: Subject, sandbox: Sandbox) -> bool:
    """Whether a finding is about a sandbox: by its id or, where the pod has none that is known, by the pod's uid."""
    return subject.sandbox_id == sandbox.id if subject.sandbox_id else bool(subject.uid) and subject.uid == sandbox.uid


def inspection(node: NodeView, sandboxes: Iterable[Sandbox], report: Report) -> tuple[SandboxFacts, ...]:
    """Return the facts about some sandboxes of a node, in the order given, with what its report says of them."""
    by_owner = {_owner_key(group): group for group in zombie_groups(node, node.zombies)}
    sharing = Sharing(node)
    return tuple(
        _sandbox(_Reading(node=node, sharing=sharing, zombies=by_owner, report=report), one) for one in sandboxes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Where all facts about the sandboxes of one node come from."""

    node: NodeView
    sharing: Sharing
    zombies: Mapping[str, ZombieGroup]
    """By the id of the container or sandbox that they belong to."""

    report: Report


def _owner_key(group: ZombieGroup) -> str:
    owner = group.container or group.sandbox
    return owner.id if owner is not None else ""


def _sandbox(reading: _Reading, sandbox: Sandbox) -> SandboxFacts:
    node, report = reading.node, reading.report
    pause = _first_process(node, sandbox.id)
    details = node.sandbox_details(sandbox)
    addressed = next((pod for pod in node.addressed_pods if pod.sandbox.id == sandbox.id), None)
    inside = addressed.inside if addressed else None
    return SandboxFacts(
        sandbox=sandbox,
        created_at=datetime.fromtimestamp(sandbox.created_at_seconds, UTC),
        details=details,
        not_comparable=node.not_comparable.get(sandbox.id, ""),
        age_seconds=node.snapshot.age_seconds(sandbox.created_at_seconds),
        pause=pause,
        no_pause="" if pause else _no_pause(node, sandbox),
        pause_usage=_usage(node, sandbox) if pause else None,
        pause_role=pause_role(node, sandbox),
        reaper=reaper(node, sandbox),
        held=_held(reading, sandbox),
        on_node_network=details is not None and details.network_mode is NamespaceMode.NODE,
        addresses_inside=inside.addresses if inside else (),
        links_up=inside.links_up or () if inside else (),
        network_faults=_network_faults(addressed) if addressed else (),
        containers=tuple(_container(reading, container) for container in node.containers_of.get(sandbox.id, ())),
        zombies=_zombies(reading.zombies.get(sandbox.id)),
        findings=tuple(one for one in report.findings if is_about(one.subject, sandbox)),
        suspicions=tuple(
            one for one in report.suspicions if one.is_worth_telling and is_about(one.finding.subject, sandbox)
        ),
    )


def _held(reading: _Reading, sandbox: Sandbox) -> tuple[tuple[NamespaceKind, int], ...]:
    host = reading.node.host_links
    held = ((kind, reading.sharing.owners.reference(sandbox, kind)) for kind in NamespaceKind)
    return tuple(
        (kind, inode) for kind, inode in held if inode is not None and (host is None or inode != host.of(kind))
    )


def _usage(node: NodeView, sandbox: Sandbox) -> PauseUsage | None:
    usages = node.snapshot.pause_usages
    if isinstance(usages, Unavailable):
        return None
    return next((one for one in usages if one.sandbox_id == sandbox.id), None)


def _network_faults(pod: AddressedPod) -> tuple[str, ...]:
    if pod.inside is None:
        return ()
    return (
        *(f"{address} is not inside" for address in pod.missing),
        *(("no interface is up",) if pod.is_cut_off else ()),
        *(() if pod.inside.has_loopback else ("no loopback",)),
    )


def _container(reading: _Reading, container: Container) -> ContainerFacts:
    node = reading.node
    judgements = reading.sharing.of(container)
    owner = next((one.owner for one in judgements if one.kind is NamespaceKind.PID), None)
    return ContainerFacts(
        container=container,
        first=_first_process(node, container.id),
        role=container_role(node, container, owner),
        pid_one=pid_one(node, container, owner) if owner else "",
        namespaces=tuple(namespace_facts(one) for one in judgements),
        not_judged="" if judgements else _not_judged(node, container),
        zombies=_zombies(reading.zombies.get(container.id)),
    )


def _first_process(node: NodeView, owner_id: str) -> ProcessFacts | None:
    first = node.first_processes.get(owner_id)
    if first is None:
        return None
    process = node.processes.get(first.identity.pid)
    return ProcessFacts(
        pid=first.identity.pid,
        name="" if process is None else process.name,
        age_seconds=first.identity.age_seconds(node.snapshot.uptime_seconds),
    )


def _no_pause(node: NodeView, sandbox: Sandbox) -> str:
    if isinstance(sandbox.details, Unavailable):
        return str(sandbox.details)
    if sandbox.details.pause_pid:
        return _gone(node, sandbox.id, sandbox.details.pause_pid)
    if sandbox in node.sandboxes_without_pause:
        return "it is gone, and containers run on without it"
    if any(entry.path in node.pins for entry in sandbox.details.spec_namespaces or ()):
        return "the runtime holds the Linux namespaces by files"
    return "the runtime reports none"


def _not_judged(node: NodeView, container: Container) -> str:
    if container.state is not ContainerState.RUNNING:
        return "not running"
    if container.sandbox_id in node.not_comparable:
        return node.not_comparable[container.sandbox_id]
    if isinstance(container.details, Unavailable):
        return str(container.details)
    first = node.first_processes.get(container.id)
    if first is not None and isinstance(first.links, Unavailable):
        return str(first.links)
    return _gone(node, container.id, container.details.pid)


def _gone(node: NodeView, owner_id: str, pid: int) -> str:
    """Return why a process that the runtime reports is not shown as its own."""
    section = node.snapshot.first_processes
    if isinstance(section, Unavailable):
        return str(section)
    if any(first.owner_id == owner_id for first in section):
        return f"pid {pid}, which the runtime reports, is another process: its cgroup is not this one's"
    return f"pid {pid}, which the runtime reports, does not exist"


def _zombies(group: ZombieGroup | None) -> ZombieFacts | None:
    if group is None:
        return None
    return ZombieFacts(
        count=len(group.zombies),
        parents=tuple(
            f"{parent.pid} {parent.process.name} ({parent.role})" if parent.process else f"{parent.pid} ({parent.role})"
            for parent in group.parents
        ),
    )
