# ruff: noqa: ANN401  builders pass any field of a value on to its constructor
"""Single values of the model for tests, as they are on the healthy node: a test states only what differs.

``builders`` says what the healthy node is, and puts these together.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pausewatch.model.address_pool import AddressPool, AddressRange
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
from pausewatch.model.snapshot import Runtime
from pausewatch.model.subject import Subject

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
            spec_namespaces=joined_namespaces(WEB_PAUSE_PID, shared_pid=False),
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


def a_subject(**changes: str) -> Subject:
    """Return the container ``app`` of ``web-x`` as the subject of a finding."""
    app = Subject(namespace="team-a", pod="web-x", uid=WEB_UID, sandbox_id=WEB_SANDBOX_ID, container="app")
    return replace(app, **changes)


def joined_namespaces(pause_pid: int, *, shared_pid: bool) -> tuple[SpecNamespace, ...]:
    """Return the namespaces in a container's specification, as containerd writes them."""
    shared = [NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.NETWORK]
    paths = {kind: f"/proc/{pause_pid}/ns/{kind.link}" for kind in shared}
    paths[NamespaceKind.PID] = f"/proc/{pause_pid}/ns/pid" if shared_pid else ""
    return tuple(SpecNamespace(kind=kind, path=path) for kind, path in paths.items())
