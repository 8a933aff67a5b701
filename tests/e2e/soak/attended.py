"""Faults that are there while the kubelet works: it made the pods, and does not undo what is wrong with them."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlencode

from e2e.soak.kind import Kind, When
from e2e.soak.scene import Scene, delete_pods, lasting
from e2e.support.faulty import ZOMBIES, other_sandbox_image
from e2e.support.nested_processes import kill, restarted
from lab import strays
from lab.pods import Container, Pod
from lab.processes import cgroup_paths, find_process, process_state, zombies_of
from pausewatch.model.membership import SETTLING_SECONDS

MOST_TASKS = ZOMBIES + 10

CARELESS = "/bin/busybox true & /bin/busybox true & exec /bin/busybox sleep 1000000"
"""A script that never waits for its two dead children."""

KILLED = ("ContainerProcessGone",)
"""What is told, as Info, for as long as the runtime has not heard that the container to be healed was killed."""

NOWHERE = "nowhere"
"""Name and handler of a RuntimeClass that the runtime does not have."""

RUNTIME_CLASS = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": NOWHERE},
    "handler": NOWHERE,
}


def kinds() -> tuple[Kind, ...]:
    """Return them."""
    return (
        Kind(
            name="zombies",
            check="zombie-buildup",
            reason="ZombieBuildup",
            severity="Warning",
            make=_zombies,
            when=When.ATTENDED,
        ),
        Kind(
            name="pid-limit",
            check="pid-limit-near",
            reason="PidLimitNear",
            severity="Critical",
            make=_pid_limit,
            when=When.ATTENDED,
            also=("ZombieBuildup",),
        ),
        Kind(
            name="own-network",
            check="namespace-not-shared",
            reason="NamespaceNotShared",
            severity="Critical",
            make=_falsified("network", "fresh"),
            when=When.ATTENDED,
            also=KILLED,
        ),
        Kind(
            name="ipc-of-the-node",
            check="namespace-not-shared",
            reason="HostNamespaceJoined",
            severity="Critical",
            make=_falsified("ipc", "host"),
            when=When.ATTENDED,
            also=KILLED,
        ),
        Kind(
            name="moved-itself",
            check="namespace-not-shared",
            reason="ProcessMovedItself",
            severity="Info",
            make=_moved_itself,
            when=When.ATTENDED,
        ),
        Kind(
            name="stuck-terminating",
            check="sandbox-stuck-terminating",
            reason="SandboxStuckTerminating",
            severity="Warning",
            make=_stuck_terminating,
            when=When.ATTENDED,
            later_seconds=2,  # its grace period, twice
        ),
        Kind(
            name="no-sandbox",
            check="sandbox-create-failing",
            reason="SandboxCreateFailing",
            severity="Critical",
            make=_no_sandbox,
            when=When.ATTENDED,
            later_scans=4,  # the API server was asked just before the kubelet told of it: again after so many
        ),
        Kind(
            name="careless-pause",
            check="abnormal-pause",
            reason="AbnormalPause",
            severity="Warning",
            make=_careless_pause,
            when=When.ATTENDED,
            later_seconds=SETTLING_SECONDS,
        ),
        Kind(
            name="image-drift",
            check="sandbox-image-drift",
            reason="SandboxImageDrift",
            severity="Info",
            make=_image_drift,
            when=When.ATTENDED,
            pods=1,
            about_node=True,
            restarts_runtime=True,
        ),
    )


@contextmanager
def _zombies(scene: Scene) -> Iterator[None]:
    """The first process of a pod never waits for its dead children."""
    with _unwaited(scene):
        yield


@contextmanager
def _pid_limit(scene: Scene) -> Iterator[None]:
    """Zombies nearly fill what a container may have of processes."""
    with _unwaited(scene) as pid:
        cgroup = max(cgroup_paths(pid), key=len)
        scene.node.runtime.cgroup.limit_pids(cgroup, MOST_TASKS)
        yield


@contextmanager
def _unwaited(scene: Scene) -> Iterator[int]:
    """Run a pod with zombies; gives the pid of their parent as the machine counts."""
    command = ("misbehave", "children", str(ZOMBIES))
    with scene.running(Pod(scene.name, containers=(Container(command=command),))) as running:
        pid = scene.node.machine_pid(running.pid())
        scene.wait("the children to die", lambda: len(zombies_of(pid)) == ZOMBIES)
        yield pid


def _falsified(linux_namespace: str, how: str) -> Callable[[Scene], AbstractContextManager[None]]:
    """A container was put into another Linux namespace than it was asked to share; healed by its restart."""

    @contextmanager
    def make(scene: Scene) -> Iterator[None]:
        node = scene.node
        node.falsify(scene.name, "app", {"type": linux_namespace, "do": how})
        try:
            with scene.running(Pod(scene.name, containers=(Container("app"), Container("side")))) as torn:
                yield
                node.stop_falsifying(scene.name, "app")
                kill(node, torn.pid("app"))
                scene.wait("the kubelet to restart it", lambda: restarted(node, torn))
        finally:
            node.stop_falsifying(scene.name, "app")

    return make


@contextmanager
def _moved_itself(scene: Scene) -> Iterator[None]:
    """A privileged process left the network of its pod."""
    with scene.running(Pod(scene.name, containers=(Container(command=("misbehave", "unshare-net"), privileged=True),))):
        yield


@contextmanager
def _stuck_terminating(scene: Scene) -> Iterator[None]:
    """A deleted pod does not end: its first thread is dead, so that runc takes it for stopped and waits for ever."""
    with scene.running(Pod(scene.name, containers=(Container(command=("misbehave", "dead-leader")),))) as undead:
        process = find_process(scene.node.machine_pid(undead.pid()))
        assert process is not None
        scene.wait("its first thread to exit", lambda: process_state(process.pid) == "Z")
        delete_pods(scene.node, scene.name)
        try:
            yield
        finally:
            process.send(signal.SIGKILL)


@contextmanager
def _no_sandbox(scene: Scene) -> Iterator[None]:
    """A pod asks for a runtime that the node does not have, and the kubelet tries again and again."""
    node = scene.node
    node.apply(lasting(node, Pod(scene.name, runtime_handler=NOWHERE)))
    selector = f"involvedObject.name={scene.name},reason=FailedCreatePodSandBox"
    events = f"/api/v1/namespaces/lab/events?{urlencode({'fieldSelector': selector})}"
    try:
        scene.wait("the kubelet to tell", lambda: scene.name in (node.get(events) or ""))
        yield
    finally:
        delete_pods(node, scene.name)
        scene.wait(f"{scene.name} to be gone", lambda: node.get(f"/api/v1/namespaces/lab/pods/{scene.name}") is None)


@contextmanager
def _careless_pause(scene: Scene) -> Iterator[None]:
    """The sandbox runs another program than a pause, which keeps zombies of its own."""
    scene.node.falsify(scene.name, "-", strays.as_pause(CARELESS))
    try:
        with scene.running(Pod(scene.name)):
            yield
    finally:
        scene.node.stop_falsifying(scene.name, "-")


@contextmanager
def _image_drift(scene: Scene) -> Iterator[None]:
    """The runtime was told to make sandboxes from another image, and has made one; all others are of the usual one."""
    (survivor,) = scene.pods
    seen = scene.node.seen_from_machine(survivor)
    with other_sandbox_image(scene.node, seen), scene.running(Pod(f"{scene.name}-new")):
        yield
