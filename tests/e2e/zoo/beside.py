"""What others run on the same node: other containerd namespaces, network namespaces of an administrator."""

from collections.abc import Callable

from e2e.zoo.kinds import Kind, Zoo, has_process
from lab.pins import BUSYBOX_IMAGE, PAUSE_IMAGE
from lab.shapes.cluster import Cluster
from pausewatch.model.snapshot import Snapshot

DOCKERS_ID = "fedcba9876543210" * 4


def kinds() -> tuple[Kind, ...]:
    """Return the family."""
    return (
        _task("other", "by-hand", BUSYBOX_IMAGE),
        _task("moby", DOCKERS_ID, BUSYBOX_IMAGE),
        _task("balloons", "a-pause", PAUSE_IMAGE),
        _pins("administrators", "blue", "vpn-7", "cni-test"),
        _pins("of-other-tools", "qrouter-6f0c", "netns-of-a-tool"),
    )


def _task(namespace: str, name: str, image: str) -> Kind:
    """Return a container that somebody runs past the CRI, in a containerd namespace of his own."""

    def run(cluster: Cluster) -> None:
        archive = {BUSYBOX_IMAGE: "busybox.tar", PAUSE_IMAGE: "pause.tar"}[image]
        _ctr(cluster, namespace, "images", "import", str(cluster.runtime.programs.images / archive))
        command = () if image == PAUSE_IMAGE else ("sleep", "1000000")
        # Below the lab's cgroup, so that it ends with the lab; by default it would be at the root.
        cgroup = f"--cgroup={cluster.runtime.cgroup.path}/{namespace}/{name}"
        runc = f"--runc-binary={cluster.runtime.programs.runc}"
        _ctr(cluster, namespace, "run", "--detach", cgroup, runc, image, name, *command)

    return Kind(
        name=f"task-in-{namespace}",
        bring_about=run,
        is_odd=lambda zoo: _pid(zoo.cluster, namespace, name) > 0,
        is_seen=lambda snapshot, zoo: has_process(snapshot, _pid(zoo.cluster, namespace, name)),
    )


def _pins(whose: str, *names: str) -> Kind:
    """Return network namespaces that `ip netns` made, with a process in the first."""

    def add(cluster: Cluster) -> None:
        for name in names:
            cluster.runtime.enter("ip", "netns", "add", name)
        cluster.runtime.enter("sh", "-c", f"ip netns exec {names[0]} sleep 1000000 >/dev/null 2>&1 &")

    return Kind(name=f"pins-{whose}", bring_about=add, is_odd=_has_process_in(names[0]), is_seen=_shows(names[0]))


def _has_process_in(name: str) -> Callable[[Zoo], bool]:
    return lambda zoo: bool(_pids_in(zoo.cluster, name))


def _shows(name: str) -> Callable[[Snapshot, Zoo], bool]:
    return lambda snapshot, zoo: all(has_process(snapshot, pid) for pid in _pids_in(zoo.cluster, name))


def _pids_in(cluster: Cluster, name: str) -> list[int]:
    return [int(pid) for pid in cluster.runtime.enter("ip", "netns", "pids", name).split()]


def _pid(cluster: Cluster, namespace: str, name: str) -> int:
    lines = (line.split() for line in _ctr(cluster, namespace, "tasks", "ls").splitlines()[1:])
    return next((int(pid) for task, pid, state in lines if (task, state) == (name, "RUNNING")), 0)


def _ctr(cluster: Cluster, namespace: str, *arguments: str) -> str:
    runtime = cluster.runtime
    program = str(runtime.programs.bin / "ctr")
    return runtime.enter(program, "--address", str(runtime.places.socket), "--namespace", namespace, *arguments)
