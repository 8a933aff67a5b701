"""What the runtime lists and does not tell enough about to be judged.

Nothing is found wrong with what nothing is known of. Left unsaid, a runtime that answers each question for a status
with rubbish would make a node look healthy.
"""

from collections.abc import Iterable, Iterator

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.comparable import why_not_comparable
from pausewatch.model.process import FirstProcess
from pausewatch.model.sandbox import Container, ContainerDetails, Sandbox, SandboxState
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView


def untold(node: NodeView) -> tuple[tuple[str, Unavailable], ...]:
    """Return what is missing, by name, each with why; counts are rounded, so that a stored report rarely changes."""
    return tuple(_untold(node, node.snapshot))


def untold_ids(snapshot: Snapshot) -> frozenset[str]:
    """Return the CRI ids of what is listed without a status that could be read."""
    sandboxes = () if isinstance(snapshot.sandboxes, Unavailable) else snapshot.sandboxes
    containers = () if isinstance(snapshot.containers, Unavailable) else snapshot.containers
    listed: tuple[Sandbox | Container, ...] = (*sandboxes, *containers)
    return frozenset(one.id for one in listed if isinstance(one.details, Unavailable))


def _untold(node: NodeView, snapshot: Snapshot) -> Iterator[tuple[str, Unavailable]]:
    if not isinstance(snapshot.sandboxes, Unavailable) and (why := _without_details(snapshot.sandboxes)):
        yield "sandbox_statuses", why
    if not isinstance(snapshot.containers, Unavailable) and (why := _without_details(snapshot.containers)):
        yield "container_statuses", why
    if why := _without_process(node) or _strangers(node):
        yield "processes_of_containers", why


def _without_details(listed: Iterable[Sandbox | Container]) -> Unavailable | None:
    """Return why statuses are missing, by the cause that comes first in the alphabet; None if none is."""
    missing = [one.details for one in listed if isinstance(one.details, Unavailable)]
    if not missing:
        return None
    first = min(missing, key=lambda one: (one.reason, one.detail))
    return Unavailable(
        reason=first.reason, detail=f"{at_least(len(missing))} not told: {first.detail}", remedy=first.remedy
    )


def _without_process(node: NodeView) -> Unavailable | None:
    """Return that the runtime names no process for something that runs; None if it does.

    Every runtime names that of a RUNNING container, and containerd that of a READY sandbox; on CRI-O many have none.
    """
    judged = (one for one in node.running_containers if one.sandbox_id not in node.not_comparable)
    running = [one.id for one in judged if _names_none(node.container_details(one))]
    missing = running + [one.id for one in sandboxes_without_named_pause(node.snapshot)]
    if not missing:
        return None
    return Unavailable(
        reason="ProcessNotTold",
        detail=f"{at_least(len(missing))} run and have no process, says the runtime, among them {missing[0][:12]}",
        remedy="look for the pid in crictl inspect, or inspectp, and report it with the runtime's version",
    )


def sandboxes_without_named_pause(snapshot: Snapshot) -> tuple[Sandbox, ...]:
    """Return the ready sandboxes of containerd for which it names no process, as it does for all ordinary ones."""
    if isinstance(snapshot.runtime, Unavailable) or snapshot.runtime.name != "containerd":
        return ()
    sandboxes = () if isinstance(snapshot.sandboxes, Unavailable) else snapshot.sandboxes
    return tuple(
        one
        for one in sandboxes
        if one.state is SandboxState.READY
        and not isinstance(one.details, Unavailable)
        and one.details.pause_pid == 0
        and not why_not_comparable(one, ())
    )


def _names_none(details: ContainerDetails | None) -> bool:
    return details is not None and details.pid == 0


def _strangers(node: NodeView) -> Unavailable | None:
    """Return that the runtime names processes which belong to somebody else; None if it does not.

    One that has exited says nothing: it loses its cgroup on its way (kernel, proc_cgroup_show of a zombie).
    """
    firsts = node.snapshot.first_processes
    if isinstance(firsts, Unavailable):
        return None
    outside = [one for one in firsts if not one.in_own_cgroup and _is_there(one)]
    strangers = [one for one in outside if _sandbox_of(node, one.owner_id) not in node.not_comparable]
    if not strangers:
        return None
    return Unavailable(
        reason="ForeignProcess",
        detail=f"{at_least(len(strangers))} named by the runtime and in the cgroup of somebody else, among them pid"
        f" {strangers[0].identity.pid} for {strangers[0].owner_id[:12]}",
        remedy="compare the pid in crictl inspect, or inspectp, with /proc/PID/cgroup",
    )


def _is_there(first: FirstProcess) -> bool:
    return not isinstance(first.links, Unavailable) or first.links.reason == PERMISSION_DENIED


def _sandbox_of(node: NodeView, owner_id: str) -> str:
    """Return the sandbox of a container, or the sandbox itself."""
    container = node.containers.get(owner_id)
    return owner_id if container is None else container.sandbox_id
