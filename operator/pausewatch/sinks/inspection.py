"""What a person finds out about one sandbox with crictl, readlink and nsenter, as values that both outputs render."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.pod_address import AddressedPod
from pausewatch.model.sandbox import Container, ContainerState, NamespaceMode, Sandbox, SandboxDetails
from pausewatch.model.sharing import Expected, NamespaceJudgement, Owner, OwnerKind, Sharing
from pausewatch.model.view import NodeView
from pausewatch.model.zombies import ZombieGroup, zombie_groups


class Verdict(StrEnum):
    """What can be said of one Linux namespace of a container."""

    SHARED = "SharedWithSandbox"
    OWN = "Own"
    HOST = "Host"
    TARGET = "SharedWithTarget"
    WRONG = "Wrong"
    NOT_JUDGED = "NotJudged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """A process as people know it."""

    pid: int
    name: str
    """Empty if /proc did not show it."""

    def __str__(self) -> str:
        return f"{self.pid} {self.name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceFacts:
    """One Linux namespace of a container's first process."""

    kind: NamespaceKind
    link: str
    """``net:[4026532301]``."""

    verdict: Verdict
    owner: str
    """Whose it is, in words."""

    expected: str = ""
    """What it should be, in words, where it is wrong."""

    not_judged: str = ""
    """Why nothing can be said."""


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
    pause: ProcessFacts | None
    no_pause: str
    """Why there is no pause process; empty where there is one."""

    reaper: str
    """Who inherits and reaps processes whose parent has ended."""

    held: tuple[str, ...]
    """The Linux namespaces that the sandbox holds for its pod, by its pause or by pinned files."""

    addresses_inside: tuple[str, ...]
    """Those in its network namespace; empty where that is not the pod's own or was not read."""

    network_faults: tuple[str, ...]
    """How its network namespace differs from what the runtime reports, in words."""

    containers: tuple[ContainerFacts, ...]
    zombies: ZombieFacts | None
    """Those that belong to the sandbox and to no single container."""


def inspection(node: NodeView, sandboxes: Iterable[Sandbox]) -> tuple[SandboxFacts, ...]:
    """Return the facts about some sandboxes of a node, in the order given."""
    by_owner = {_owner_key(group): group for group in zombie_groups(node, node.zombies)}
    sharing = Sharing(node)
    return tuple(_sandbox(node, sharing, sandbox, by_owner) for sandbox in sandboxes)


def _owner_key(group: ZombieGroup) -> str:
    owner = group.container or group.sandbox
    return owner.id if owner is not None else ""


def _sandbox(node: NodeView, sharing: Sharing, sandbox: Sandbox, zombies: dict[str, ZombieGroup]) -> SandboxFacts:
    pause = _first_process(node, sandbox.id)
    held = ((kind, sharing.reference(sandbox, kind)) for kind in NamespaceKind)
    host = node.host_links
    addressed = next((pod for pod in node.addressed_pods if pod.sandbox.id == sandbox.id), None)
    return SandboxFacts(
        sandbox=sandbox,
        created_at=datetime.fromtimestamp(sandbox.created_at_seconds, UTC),
        details=node.sandbox_details(sandbox),
        not_comparable=node.not_comparable.get(sandbox.id, ""),
        pause=pause,
        no_pause="" if pause else _no_pause(node, sandbox),
        reaper=_reaper(node, sandbox),
        held=tuple(
            namespace_text(kind, inode)
            for kind, inode in held
            if inode is not None and (host is None or inode != host.of(kind))
        ),
        addresses_inside=addressed.inside.addresses if addressed and addressed.inside else (),
        network_faults=_network_faults(addressed) if addressed else (),
        containers=tuple(
            _container(node, sharing, container, zombies) for container in node.containers_of.get(sandbox.id, ())
        ),
        zombies=_zombies(zombies.get(sandbox.id)),
    )


def _network_faults(pod: AddressedPod) -> tuple[str, ...]:
    if pod.inside is None:
        return ()
    return (
        *(f"{address} is not inside" for address in pod.missing),
        *(("no interface is up",) if pod.is_cut_off else ()),
        *(() if pod.inside.has_loopback else ("no loopback",)),
    )


def _container(
    node: NodeView, sharing: Sharing, container: Container, zombies: dict[str, ZombieGroup]
) -> ContainerFacts:
    judgements = sharing.of(container)
    pid = next((one for one in judgements if one.kind is NamespaceKind.PID), None)
    return ContainerFacts(
        container=container,
        first=_first_process(node, container.id),
        pid_one=_pid_one(node, container, pid.owner) if pid else "",
        namespaces=tuple(_namespace(one) for one in judgements),
        not_judged="" if judgements else _not_judged(node, container),
        zombies=_zombies(zombies.get(container.id)),
    )


def _first_process(node: NodeView, owner_id: str) -> ProcessFacts | None:
    first = node.first_processes.get(owner_id)
    if first is None:
        return None
    process = node.processes.get(first.identity.pid)
    return ProcessFacts(pid=first.identity.pid, name="" if process is None else process.name)


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


def _reaper(node: NodeView, sandbox: Sandbox) -> str:
    """Return who reaps orphans of the sandbox's containers.

    The kernel hands an orphan to PID 1 of its PID namespace, unless an ancestor in the same namespace is a child
    subreaper (kernel/exit.c, find_new_reaper; prctl(2), PR_SET_CHILD_SUBREAPER). Shims and monitors are, in the
    node's own PID namespace (containerd pkg/shim/shim.go; conmon src/conmon.c): so with hostPID it is the shim.
    """
    details = node.sandbox_details(sandbox)
    if sandbox.id in node.not_comparable or details is None:
        return ""
    match details.pid_mode:
        case NamespaceMode.POD:
            return "the pause, PID 1 of the shared PID namespace"
        case NamespaceMode.NODE:
            return "the runtime's shim, a child subreaper in the node's PID namespace"
        case NamespaceMode.CONTAINER | NamespaceMode.TARGET:
            return "PID 1 of each container"
        case None:
            return ""


def _pid_one(node: NodeView, container: Container, owner: Owner) -> str:
    match owner.kind:
        case OwnerKind.HOST:
            return "the node's init"
        case OwnerKind.OWN_SANDBOX:
            pause = _first_process(node, container.sandbox_id)
            return f"{pause.pid}, the pause" if pause else ""
        case OwnerKind.OWN_CONTAINER:
            return str(_first_process(node, container.id) or "")
        case OwnerKind.SIBLING | OwnerKind.OTHER_POD:
            made_for = owner.container or owner.sandbox
            first = _first_process(node, made_for.id) if made_for else None
            return f"{first} of {owner_text(owner)}" if first else ""
        case OwnerKind.NOBODY:
            return ""


def owner_text(owner: Owner) -> str:
    """Return whose a Linux namespace is, seen from a container, as the end of a sentence."""
    match owner.kind:
        case OwnerKind.HOST:
            return "the node"
        case OwnerKind.OWN_SANDBOX:
            return "its sandbox"
        case OwnerKind.OWN_CONTAINER:
            return "this container"
        case OwnerKind.NOBODY:
            return "no known pod"
        case OwnerKind.SIBLING | OwnerKind.OTHER_POD:
            pod = f"pod {owner.sandbox.namespace}/{owner.sandbox.name}" if owner.sandbox else "another pod"
            container = f"container {owner.container.name}" if owner.container else ""
            if owner.kind is OwnerKind.SIBLING:
                return f"sibling {container}"
            return f"{container} of {pod}" if container else pod


def _namespace(judgement: NamespaceJudgement) -> NamespaceFacts:
    return NamespaceFacts(
        kind=judgement.kind,
        link=namespace_text(judgement.kind, judgement.inode),
        verdict=_verdict(judgement),
        owner=owner_text(judgement.owner),
        expected="" if judgement.as_expected else _expected(judgement),
        not_judged=judgement.not_judged,
    )


def _verdict(judgement: NamespaceJudgement) -> Verdict:
    if judgement.expectation is None:
        return Verdict.NOT_JUDGED
    if not judgement.as_expected:
        return Verdict.WRONG
    match judgement.expectation.whose:
        case Expected.SANDBOX:
            return Verdict.SHARED
        case Expected.HOST:
            return Verdict.HOST
        case Expected.TARGET:
            return Verdict.TARGET
        case Expected.NOBODY:
            return Verdict.OWN


def _expected(judgement: NamespaceJudgement) -> str:
    expectation = judgement.expectation
    if expectation is None or expectation.inode is None:
        return "one of its own"
    of = {Expected.HOST: "the node", Expected.TARGET: "its target container"}.get(expectation.whose, "the sandbox")
    return f"{namespace_text(judgement.kind, expectation.inode)} of {of}"


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
