"""Whose the zombies are and who should have reaped them.

A zombie keeps few facts (proc_pid_status(5), and measured): its own ``ns/pid`` link, its parent, and on cgroup v2 its
cgroup path. On cgroup v1 it shows ``/`` for every controller, so its own cgroup alone must never place it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Identity, Process
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView, subject_of_sandbox

TICKS_PER_SECOND = 100
"""The kernel's USER_HZ, in which start times are told; the same on all architectures that Kubernetes runs on."""

ELSEWHERE = "elsewhere"
"""Stands for the id of a container where zombies are in pods of another kubelet."""

LATEST_STARTS = 16
LEAST_GAPS = 5
EVEN_SHARE = 0.8
"""Of the intervals that have to be of the same length, to a second: a probe may fail to start once."""


class ParentRole(StrEnum):
    """What the parent of zombies is; decides what to do about it."""

    PID_ONE = "PID 1 of the container"
    """An application that is no init: it never waits for children that it did not start itself."""

    FIRST_PROCESS = "the first process of the container"
    """Where PID 1 is another one, because the PID namespace is the pod's or the node's: it forgets children of its own,
    for orphans do not come to it."""

    PAUSE = "the pause of the sandbox"
    MEMBER = "a process of the container"
    OTHER = "a process outside the container"
    OF_NO_POD = "a process of no listed pod"
    """Where the zombies are the node's."""

    GONE = "a process that could not be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombieParent:
    """A living process that does not wait for its dead children."""

    pid: int
    process: Process | None
    """None if it ended during the scan."""

    role: ParentRole
    zombies: int

    def __str__(self) -> str:
        """Return it as people look for it: ``pid 4121 (olake-server)``."""
        return f"pid {self.pid}" if self.process is None else f"pid {self.pid} ({self.process.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombieGroup:
    """The zombies of one container, of one sandbox, or (both None) of the node or of another node on the machine."""

    sandbox: Sandbox | None
    container: Container | None
    zombies: tuple[Process, ...]
    """By pid."""

    parents: tuple[ZombieParent, ...]
    """The one with the most zombies first."""

    elsewhere: bool = False
    """Whether they are in pods of another kubelet on this machine, such as a node of kind: for that node to tell. They
    still take part in using up the machine's bounds."""

    @property
    def owner_id(self) -> str:
        """The CRI id of the container or, without one, of the sandbox; empty for the node's own."""
        if self.container is not None:
            return self.container.id
        if self.sandbox is not None:
            return self.sandbox.id
        return ELSEWHERE if self.elsewhere else ""


def zombie_groups(node: NodeView, zombies: Collection[Process]) -> tuple[ZombieGroup, ...]:
    """Group zombies by the container they belong to.

    In this order: the container whose PID namespace the zombie's own ``ns/pid`` is; the container in its cgroup
    path; the container of its parent. Without any, the node; or another node, if its parent is in a pod there.
    """
    owners = _pid_namespace_owners(node) if zombies else {}
    others = _in_pods_of_other_kubelets(node) if zombies else frozenset()
    grouped: dict[tuple[str, str, bool], list[Process]] = {}
    for zombie in zombies:
        sandbox_id, container_id = _place(node, owners, zombie)
        parent = node.processes.get(zombie.parent_pid)
        elsewhere = not sandbox_id and parent is not None and parent.identity in others
        grouped.setdefault((sandbox_id, container_id, elsewhere), []).append(zombie)
    return tuple(
        ZombieGroup(
            sandbox=node.sandboxes.get(sandbox_id),
            container=node.containers.get(container_id),
            zombies=tuple(members),
            parents=_parents(node, members, sandbox_id, container_id),
            elsewhere=elsewhere,
        )
        for (sandbox_id, container_id, elsewhere), members in sorted(grouped.items())
    )


def subject_of_zombies(node: NodeView, group: ZombieGroup) -> Subject:
    """Return whose the zombies of a group are, as the subject of a finding."""
    if group.container is not None:
        return node.subject_of(group.container)
    return Subject() if group.sandbox is None else subject_of_sandbox(group.sandbox)


def start_period_seconds(zombies: Iterable[Process]) -> int | None:
    """Return the beat in which processes were started that are zombies now; None if there is none.

    Probes and timers start theirs in equal intervals. What starts within a second is taken for one start: a shell and
    its children. The latest starts tell, so that others before do not matter.
    """
    ticks = sorted(zombie.identity.start_ticks for zombie in zombies)
    since_boot = [-TICKS_PER_SECOND - 1, *ticks]
    starts = [now for before, now in pairwise(since_boot) if now - before > TICKS_PER_SECOND]
    gaps = sorted(later - earlier for earlier, later in pairwise(starts[-LATEST_STARTS:]))
    if len(gaps) < LEAST_GAPS:
        return None
    usual = gaps[len(gaps) // 2]
    even = sum(abs(gap - usual) <= TICKS_PER_SECOND for gap in gaps)
    return round(usual / TICKS_PER_SECOND) if even >= EVEN_SHARE * len(gaps) else None


def _place(node: NodeView, owners: Mapping[int, str], zombie: Process) -> tuple[str, str]:
    """Return (sandbox id, container id); either empty where there is none."""
    placement = node.placements.get(zombie.identity)
    if placement is not None:
        if placement.pid_namespace is not None and placement.pid_namespace in owners:
            return _known(node, owners[placement.pid_namespace])
        placed = _known(node, placement.container_id)
        if placed[0]:
            return placed
    return _known(node, _container_of(node, zombie.parent_pid))


def _known(node: NodeView, owner_id: str | None) -> tuple[str, str]:
    """Resolve an id from a cgroup path, which may be a container's, a sandbox's, or another runtime's."""
    container = node.containers.get(owner_id or "")
    if container is not None and container.sandbox_id in node.sandboxes:
        return (container.sandbox_id, container.id)
    sandbox = node.sandboxes.get(owner_id or "")
    return ("" if sandbox is None else sandbox.id, "")


def _container_of(node: NodeView, pid: int) -> str | None:
    process = node.processes.get(pid)
    if process is None:
        return None
    if process.identity in node.first_process_owners:
        return node.first_process_owners[process.identity]
    placement = node.placements.get(process.identity)
    return None if placement is None else placement.container_id


def _in_pods_of_other_kubelets(node: NodeView) -> frozenset[Identity]:
    """Return the processes in pods that lie elsewhere in the tree of cgroups than all listed ones.

    Of nobody that is known where no pod is listed, or the cgroups could not be read.
    """
    memberships = node.snapshot.memberships
    if isinstance(memberships, Unavailable):
        return frozenset()
    listed = node.sandboxes.keys() | node.containers.keys()
    own = {one.pods_root for one in memberships if one.container_id in listed and one.pods_root is not None}
    return frozenset(
        one.identity for one in memberships if own and one.pods_root is not None and one.pods_root not in own
    )


def _pid_namespace_owners(node: NodeView) -> Mapping[int, str]:
    """PID namespaces that belong to one container only, by inode number."""
    owners: dict[int, str] = {}
    for container in node.running_containers:
        details = node.container_details(container)
        links = node.links_of(container.id)
        if (
            details is not None
            and links is not None
            and details.pid_mode is NamespaceMode.CONTAINER
            and container.sandbox_id not in node.not_comparable
            and (node.host_links is None or links.pid != node.host_links.pid)
        ):
            owners.setdefault(links.pid, container.id)
    return owners


def _parents(
    node: NodeView, zombies: Iterable[Process], sandbox_id: str, container_id: str
) -> tuple[ZombieParent, ...]:
    counted = Counter(zombie.parent_pid for zombie in zombies)
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        ZombieParent(
            pid=pid,
            process=node.processes.get(pid),
            role=_role(node, pid, sandbox_id, container_id),
            zombies=count,
        )
        for pid, count in ordered
    )


def _role(node: NodeView, pid: int, sandbox_id: str, container_id: str) -> ParentRole:
    process = node.processes.get(pid)
    if process is None:
        return ParentRole.GONE
    if not sandbox_id:
        return ParentRole.OF_NO_POD
    if _is_first(node, container_id, process):
        return ParentRole.PID_ONE if process.identity in node.pid_ones else ParentRole.FIRST_PROCESS
    if _is_first(node, sandbox_id, process):
        return ParentRole.PAUSE
    placed = _known(node, _container_of(node, pid))
    return ParentRole.MEMBER if container_id and placed[1] == container_id else ParentRole.OTHER


def _is_first(node: NodeView, owner_id: str, process: Process) -> bool:
    first = node.first_processes.get(owner_id)
    return first is not None and first.identity == process.identity
