# ruff: noqa: ANN401  builders pass any field of a value on to its constructor
"""The healthy node, so that a test states only what differs; ``parts`` holds what it is made of.

The healthy node is ``node-7``: containerd, the pod ``team-a/web-x`` (containers ``app`` and ``side``, each in a PID
namespace of its own) and the pod ``team-b/shared-y`` (container ``worker`` in the PID namespace of the pause).
Two rules make its numbers predictable: process N started N seconds after boot, and a namespace that was made for
process N is number 4026530000 + N (a pause's network, IPC, UTS and PID namespaces: + 0, 1, 2, 3).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History, PodMemory
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.process import Identity
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from support.parts import (
    CONTAINERD_PID,
    FIRST_INODE,
    HOST_LINKS,
    KTHREADD_PID,
    KUBELET_PID,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    SHARED_UID,
    SHARED_WORKER_ID,
    SYSTEMD_PID,
    TAKEN_AT,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_PAUSE_PID,
    WEB_SIDE_ID,
    a_container,
    a_first_process,
    a_membership,
    a_monitor,
    a_pause_usage,
    a_pod,
    a_pod_network,
    a_process,
    a_runtime,
    a_sandbox,
    a_sandbox_image,
    an_address_pool,
    container_details,
    identity,
    joined_namespaces,
    pause_links,
    sandbox_details,
)

T = TypeVar("T")


def a_snapshot(**changes: Any) -> Snapshot:
    """Return the healthy node, changed where said."""
    bare = Snapshot(
        node_name="node-7",
        taken_at=TAKEN_AT,
        uptime_seconds=UPTIME_SECONDS,
        boot_id="f3b6c1de-58a7-4b2f-9d0e-6a1c2b3d4e5f",
        cgroup_version="v2",
        runtime=a_runtime(),
        sandboxes=(),
        containers=(),
        host_links=HOST_LINKS,
        first_processes=(),
        pinned_namespaces=(),
        processes=(
            a_process(SYSTEMD_PID, parent_pid=0, name="systemd"),
            a_process(KTHREADD_PID, parent_pid=0, name="kthreadd", kernel_thread=True),
            a_process(CONTAINERD_PID, name="containerd", threads=12),
            a_process(KUBELET_PID, name="kubelet", threads=14),
        ),
        placements=(),
        pods=(a_pod(), a_pod(namespace="team-b", name="shared-y", uid=SHARED_UID)),
        waiting_pods=(),
        memberships=tuple(a_membership(pid) for pid in (SYSTEMD_PID, CONTAINERD_PID, KUBELET_PID)),
        monitors=(),
        pause_usages=(),
        pid_limits=(),
        pod_networks=(),
        network_pins=(),
        address_pools=(an_address_pool(),),
        sandbox_image=a_sandbox_image(),
        access=(AccessFact(name="runtime-socket", granted=True, detail="containerd 2.4.2 answered"),),
    )
    web = with_pod(
        bare, a_sandbox(), {"app": WEB_APP_ID, "side": WEB_SIDE_ID}, pause_pid=WEB_PAUSE_PID, shared_pid=False
    )
    shared = a_sandbox(
        id=SHARED_SANDBOX_ID,
        name="shared-y",
        namespace="team-b",
        uid=SHARED_UID,
        created_at_seconds=TAKEN_AT.timestamp() - UPTIME_SECONDS + SHARED_PAUSE_PID,
        details=sandbox_details(pid_mode=NamespaceMode.POD, addresses=("10.200.0.4",)),
    )
    both = with_pod(web, shared, {"worker": SHARED_WORKER_ID}, pause_pid=SHARED_PAUSE_PID, shared_pid=True)
    return replace(both, **changes)


def a_node(
    snapshot: Snapshot | None = None,
    zombies_seen_since: Mapping[Identity, float] | None = None,
    pods: Mapping[str, PodMemory] | None = None,
) -> NodeView:
    """Return the view of a node, the healthy one if none is given, with what is remembered of it."""
    return NodeView(snapshot or a_snapshot(), History(zombies_seen_since=zombies_seen_since or {}, pods=pods or {}))


def with_pod(
    snapshot: Snapshot, sandbox: Sandbox, containers: Mapping[str, str], *, pause_pid: int, shared_pid: bool
) -> Snapshot:
    """Add a healthy pod: its shim is process ``pause_pid - 1``, its containers ``pause_pid + 10``, ``+ 20``, ...

    Args:
        snapshot: The node to add it to.
        sandbox: Of the pod; the pid of its pause is set here.
        containers: CRI ids by container name.
        pause_pid: The process that the runtime started for the sandbox.
        shared_pid: Whether the containers share the PID namespace of the pause.
    """
    held = pause_links(pause_pid)
    shim_pid = pause_pid - 1
    made: list[Container] = []
    firsts = [a_first_process(sandbox.id, pause_pid, links=held)]
    memberships = [a_membership(shim_pid), a_membership(pause_pid, sandbox.id)]
    processes = [
        a_process(shim_pid, name="containerd-shim", threads=11),
        a_process(pause_pid, parent_pid=shim_pid, name="pause"),
    ]
    for number, (name, container_id) in enumerate(containers.items(), start=1):
        pid = pause_pid + 10 * number
        details = container_details(
            pid=pid,
            pid_mode=NamespaceMode.POD if shared_pid else NamespaceMode.CONTAINER,
            spec_namespaces=joined_namespaces(pause_pid, shared_pid=shared_pid),
        )
        made.append(a_container(id=container_id, sandbox_id=sandbox.id, name=name, details=details))
        own = held if shared_pid else replace(held, pid=FIRST_INODE + pid)
        firsts.append(a_first_process(container_id, pid, links=own))
        memberships.append(a_membership(pid, container_id))
        processes.append(a_process(pid, parent_pid=shim_pid, name=name))
    networks: tuple[PodNetwork, ...] = ()
    if not isinstance(sandbox.details, Unavailable):
        addresses = sandbox.details.addresses
        sandbox = replace(sandbox, details=replace(sandbox.details, pause_pid=pause_pid))
        inside = a_pod_network(
            sandbox_id=sandbox.id,
            process=identity(pause_pid),
            process_owner_id=sandbox.id,
            addresses=addresses,
        )
        networks = (inside,)
    return adding(
        snapshot,
        sandboxes=(sandbox,),
        containers=made,
        first_processes=firsts,
        processes=processes,
        pod_networks=networks,
        memberships=memberships,
        monitors=(a_monitor(shim_pid, sandbox.id),),
        pause_usages=(a_pause_usage(sandbox.id, pause_pid),),
    )


def adding(snapshot: Snapshot, **more: Any) -> Snapshot:
    """Append to sections of a snapshot; processes stay ordered by pid."""
    changes: dict[str, Any] = {name: (*present(getattr(snapshot, name)), *items) for name, items in more.items()}
    if "processes" in changes:
        changes["processes"] = tuple(sorted(changes["processes"], key=lambda one: one.pid))
    return replace(snapshot, **changes)


def present(section: tuple[T, ...] | Unavailable) -> tuple[T, ...]:
    """Return a section of a snapshot that the test knows to be there."""
    assert not isinstance(section, Unavailable), section
    return section
