"""Model values for tests: a healthy node and its parts, so that a test states only what differs.

The healthy node is ``node-7``: containerd, the pod ``team-a/web-x`` (containers ``app`` and ``side``, each in a PID
namespace of its own) and the pod ``team-b/shared-y`` (container ``worker`` in the PID namespace of the pause).
Two rules make its numbers predictable: process N started N seconds after boot, and a namespace that was made for
process N is number 4026530000 + N (a pause's network, IPC, UTS and PID namespaces: + 0, 1, 2, 3).
"""
# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from pausewatch.model.access import AccessFact
from pausewatch.model.address_pool import AddressPool, AddressRange
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History, PodMemory
from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks
from pausewatch.model.membership import Membership, Monitor, MonitorKind
from pausewatch.model.pause_usage import PauseUsage
from pausewatch.model.pod import Pod
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.process import FirstProcess, Identity, Process
from pausewatch.model.sandbox import (
    Container,
    ContainerDetails,
    ContainerState,
    NamespaceMode,
    Sandbox,
    SandboxDetails,
    SandboxState,
    SpecNamespace,
)
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.model.snapshot import Runtime, Snapshot
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView

T = TypeVar("T")

TAKEN_AT = datetime(2026, 11, 21, 9, 14, 3, tzinfo=UTC)
UPTIME_SECONDS = 864_000.0
FIRST_INODE = 4_026_530_000

SYSTEMD_PID, KTHREADD_PID, CONTAINERD_PID, KUBELET_PID = 1, 2, 800, 900
HOST_LINKS = NamespaceLinks(
    network=4_026_531_840, ipc=4_026_531_839, uts=4_026_531_838, pid=4_026_531_836, user=4_026_531_837
)

WEB_SANDBOX_ID = "49b6b3a0c1d24e5f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f"
WEB_APP_ID = "3f2a91c04d7e5b6a8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d"
WEB_SIDE_ID = "5c1d82e7f0a94b3c6d8e9f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e"
WEB_UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
WEB_SHIM_PID, WEB_PAUSE_PID, WEB_APP_PID, WEB_SIDE_PID = 2300, 2301, 2311, 2321

SHARED_SANDBOX_ID = "7e9a64d1b2c3f4058697a8b9cadbecfd0e1f2031425364758697a8b9cadbecfd"
SHARED_WORKER_ID = "a4b7c8d9e0f1021324354657687980919aabbccddeeff0011223344556677889"
SHARED_UID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
SHARED_SHIM_PID, SHARED_PAUSE_PID, SHARED_WORKER_PID = 2400, 2401, 2411

PAUSE_IMAGE = "localhost/pause:3.10"


def hex_id(name: str) -> str:
    """Return 64 hexadecimal digits, always the same ones for a name, as runtimes name sandboxes and containers."""
    return hashlib.sha256(name.encode()).hexdigest()


def identity(pid: int) -> Identity:
    """Return the process that started ``pid`` seconds after boot."""
    return Identity(pid=pid, start_ticks=pid * 100)


def a_process(pid: int, **changes: Any) -> Process:
    """Return an ordinary sleeping process, a child of PID 1."""
    return replace(
        Process(
            identity=identity(pid),
            parent_pid=SYSTEMD_PID,
            name="app",
            state="S",
            threads=1,
            kernel_thread=False,
        ),
        **changes,
    )


def links(**changes: int) -> NamespaceLinks:
    """Return the node's own namespaces, changed where said."""
    return replace(HOST_LINKS, **changes)


def pause_links(pause_pid: int) -> NamespaceLinks:
    """Return the namespaces that were made for a pause."""
    made = FIRST_INODE + pause_pid
    return links(network=made, ipc=made + 1, uts=made + 2, pid=made + 3)


def a_membership(pid: int, container_id: str | None = None, **changes: Any) -> Membership:
    """Return in which cgroup a process is: that of a container of ``web-x``, or one that belongs to no container."""
    pod = f"kubepods-besteffort-pod{WEB_UID.replace('-', '_')}.slice"
    scope = f"/kubepods.slice/kubepods-besteffort.slice/{pod}/cri-containerd-{container_id}.scope"
    path = "" if container_id is None else scope
    root = None if container_id is None else ""
    made = Membership(identity=identity(pid), cgroup_path=path, container_id=container_id, pods_root=root)
    return replace(made, **changes)


def a_monitor(pid: int, owner_id: str, **changes: Any) -> Monitor:
    """Return a shim of the runtime's own."""
    shim = Monitor(
        identity=identity(pid),
        kind=MonitorKind.SHIM,
        runtime_namespace="k8s.io",
        owner_id=owner_id,
        is_ours=True,
    )
    return replace(shim, **changes)


def a_pause_usage(sandbox_id: str, pid: int, **changes: Any) -> PauseUsage:
    """Return what the pause of Kubernetes uses: 137 pages, and CPU time only to start."""
    usage = PauseUsage(
        sandbox_id=sandbox_id, identity=identity(pid), resident_bytes=137 * 4096, cpu_seconds=0.02, program="pause"
    )
    return replace(usage, **changes)


def a_first_process(owner_id: str, pid: int, **changes: Any) -> FirstProcess:
    """Return the first process of a sandbox or container, in the node's own namespaces."""
    ordinary = FirstProcess(owner_id=owner_id, identity=identity(pid), links=HOST_LINKS, in_own_cgroup=True)
    return replace(ordinary, **changes)


def sandbox_details(**changes: Any) -> SandboxDetails:
    """Return what containerd tells of the sandbox of ``web-x``."""
    return replace(
        SandboxDetails(
            pause_pid=WEB_PAUSE_PID,
            image=PAUSE_IMAGE,
            runtime_type="io.containerd.runc.v2",
            runtime_handler="",
            network_mode=NamespaceMode.POD,
            ipc_mode=NamespaceMode.POD,
            pid_mode=NamespaceMode.CONTAINER,
            user_mode=NamespaceMode.NODE,
            spec_namespaces=tuple(
                SpecNamespace(kind=kind, path="/var/run/netns/cni-web-x" if kind is NamespaceKind.NETWORK else "")
                for kind in (NamespaceKind.PID, NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.NETWORK)
            ),
            addresses=("10.200.0.3",),
            pod_source="api",
        ),
        **changes,
    )


def a_sandbox(**changes: Any) -> Sandbox:
    """Return the sandbox of ``team-a/web-x``."""
    return replace(
        Sandbox(
            id=WEB_SANDBOX_ID,
            name="web-x",
            namespace="team-a",
            uid=WEB_UID,
            attempt=0,
            state=SandboxState.READY,
            created_at_seconds=TAKEN_AT.timestamp() - UPTIME_SECONDS + WEB_PAUSE_PID,
            details=sandbox_details(),
        ),
        **changes,
    )


def container_details(**changes: Any) -> ContainerDetails:
    """Return what containerd tells of the container ``app`` of ``web-x``."""
    return replace(
        ContainerDetails(
            pid=WEB_APP_PID,
            pid_mode=NamespaceMode.CONTAINER,
            target_id="",
            spec_namespaces=_joined(WEB_PAUSE_PID, shared_pid=False),
            grace_seconds=30,
            may_administer=False,
            may_change_network=False,
        ),
        **changes,
    )


def a_container(**changes: Any) -> Container:
    """Return the running container ``app`` of ``web-x``."""
    return replace(
        Container(
            id=WEB_APP_ID,
            sandbox_id=WEB_SANDBOX_ID,
            name="app",
            attempt=0,
            state=ContainerState.RUNNING,
            image="localhost/app:1",
            details=container_details(),
        ),
        **changes,
    )


def a_runtime(**changes: str) -> Runtime:
    """Return containerd."""
    containerd = Runtime(name="containerd", version="2.4.2", endpoint="unix:///run/containerd/containerd.sock")
    return replace(containerd, **changes)


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


def a_sandbox_image(**changes: Any) -> SandboxImage:
    """Return the configured sandbox image, which the runtime has and keeps, and which all sandboxes are made from."""
    image_id = f"sha256:{hex_id(PAUSE_IMAGE)}"
    ordinary = SandboxImage(image=PAUSE_IMAGE, told_by="the runtime's status", id=image_id, pinned=True, others=())
    return replace(ordinary, **changes)


def an_address_pool(**changes: Any) -> AddressPool:
    """Return the addresses of the CNI network ``cbr0``: both pods have one of 253."""
    return replace(
        AddressPool(
            network="cbr0",
            directory="/var/lib/cni/networks/cbr0",
            ranges=(AddressRange(subnets=("10.200.0.0/24",), addresses=253, reserved=2),),
            unlisted=(),
        ),
        **changes,
    )


def a_pod_network(**changes: Any) -> PodNetwork:
    """Return the network namespace of ``web-x``, seen through its pause."""
    ordinary = PodNetwork(
        sandbox_id=WEB_SANDBOX_ID,
        process=identity(WEB_PAUSE_PID),
        process_owner_id=WEB_SANDBOX_ID,
        addresses=("10.200.0.3",),
        links_up=("eth0",),
        has_loopback=True,
    )
    return replace(ordinary, **changes)


def a_pod(**changes: Any) -> Pod:
    """Return ``team-a/web-x`` as the API server knows it."""
    values = {"namespace": "team-a", "name": "web-x", "uid": WEB_UID, "deletion_grace_seconds": None}
    return Pod(**values | changes)


def a_node(
    snapshot: Snapshot | None = None,
    zombies_seen_since: Mapping[Identity, float] | None = None,
    pods: Mapping[str, PodMemory] | None = None,
) -> NodeView:
    """Return the view of a node, the healthy one if none is given, with what is remembered of it."""
    return NodeView(snapshot or a_snapshot(), History(zombies_seen_since=zombies_seen_since or {}, pods=pods or {}))


def a_subject(**changes: str) -> Subject:
    """Return the container ``app`` of ``web-x`` as the subject of a finding."""
    app = Subject(namespace="team-a", pod="web-x", uid=WEB_UID, sandbox_id=WEB_SANDBOX_ID, container="app")
    return replace(app, **changes)


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
            spec_namespaces=_joined(pause_pid, shared_pid=shared_pid),
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


def _joined(pause_pid: int, *, shared_pid: bool) -> tuple[SpecNamespace, ...]:
    """Return the namespaces in a container's specification, as containerd writes them."""
    shared = [NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.NETWORK]
    paths = {kind: f"/proc/{pause_pid}/ns/{kind.link}" for kind in shared}
    paths[NamespaceKind.PID] = f"/proc/{pause_pid}/ns/pid" if shared_pid else ""
    return tuple(SpecNamespace(kind=kind, path=path) for kind, path in paths.items())
