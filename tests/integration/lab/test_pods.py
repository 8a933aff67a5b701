"""A pod of the lab is what it was asked to be, judged by the kernel's own links."""

import pytest

from lab.cri.client import CallError
from lab.errors import LabError
from lab.pins import RUNTIME_VERSIONS
from lab.pods import Container, Mount, Pod, RunningPod
from lab.processes import cgroup_paths, children, linux_namespace
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

_KINDS = ("net", "ipc", "uts", "pid")


def _shared(first: int, second: int) -> set[str]:
    """Kinds of Linux namespaces that two processes share."""
    return {kind for kind in _KINDS if linux_namespace(first, kind) == linux_namespace(second, kind)}


def _with_pause(running: RunningPod, container: str = "app") -> set[str]:
    return _shared(running.pause_pid(), running.pid(container))


def test_runtime_is_the_version_asked_for(lab: RuntimeLab) -> None:
    """The lab runs the containerd that was pinned, and the pause image that was built."""
    version = lab.client.version()

    assert version.runtime_name == "containerd"
    assert version.runtime_version.lstrip("v").startswith(RUNTIME_VERSIONS[lab.version.name].containerd)


def test_ordinary_pod_shares_all_but_pid(lab: RuntimeLab) -> None:
    """Without faults the wrapper around runc changes nothing: all but PID is the sandbox's."""
    running = lab.run(Pod("web", containers=(Container("app"), Container("side"))))

    assert _with_pause(running) == {"net", "ipc", "uts"}
    assert _with_pause(running, "side") == {"net", "ipc", "uts"}
    assert _shared(running.pid("app"), running.pid("side")) == {"net", "ipc", "uts"}
    assert _shared(running.pause_pid(), lab.containerd.pid) == set()


def test_share_pid_makes_pause_the_first_process(lab: RuntimeLab) -> None:
    """With shareProcessNamespace everything is the sandbox's."""
    running = lab.run(Pod("shared", share_pid=True))

    assert _with_pause(running) == set(_KINDS)


@pytest.mark.parametrize(
    ("pod", "with_node"),
    [
        (Pod("host-network", host_network=True), {"net", "uts"}),
        (Pod("host-pid", host_pid=True), {"pid"}),
        (Pod("host-ipc", host_ipc=True), {"ipc"}),
    ],
    ids=lambda value: value.name if isinstance(value, Pod) else "",
)
def test_host_namespaces(lab: RuntimeLab, pod: Pod, with_node: set[str]) -> None:
    """What a pod shares with the node is the node's, in pause and container alike."""
    running = lab.run(pod)

    assert _shared(running.pause_pid(), lab.containerd.pid) == with_node
    assert _shared(running.pid(), lab.containerd.pid) == with_node


def test_target_enters_the_pid_namespace_of_a_container(lab: RuntimeLab) -> None:
    """A container as `kubectl debug --target` makes it is in its target's PID namespace."""
    running = lab.run(Pod("debugged", containers=(Container("app"), Container("debugger", target="app"))))

    assert _shared(running.pid("app"), running.pid("debugger")) == set(_KINDS)
    assert _with_pause(running, "debugger") == {"net", "ipc", "uts"}


def test_pods_of_one_lab_have_different_addresses(lab: RuntimeLab) -> None:
    """CNI gives each pod an address, and removing the pod gives it back."""
    first, second = lab.run(Pod("first")), lab.run(Pod("second"))

    assert first.address()
    assert second.address()
    assert first.address() != second.address()
    assert len(list((lab.places.run / "addresses" / "lab").glob("10.*"))) == 2
    lab.remove_all_pods()
    assert not list((lab.places.run / "addresses" / "lab").glob("10.*"))


def test_containers_are_in_kubelet_like_cgroups(lab: RuntimeLab) -> None:
    """Below the lab's cgroup, paths read as on a node with the driver cgroupfs."""
    running = lab.run(Pod("placed"))
    path = f"/pausewatch-lab/{lab.name}/kubepods/besteffort/pod{running.uid}/{running.container_ids['app']}"

    assert path in cgroup_paths(running.pid())


def test_init_container_runs_before_the_others(lab: RuntimeLab) -> None:
    """The second container starts after the first has ended well."""
    init = Container("init", command=("sh", "-c", "echo first"), init=True)
    running = lab.run(Pod("two-steps", containers=(init, Container("app"))))

    assert "first" in running.log("init")
    with pytest.raises(LabError, match="does not run"):
        running.pid("init")


def test_failed_init_container_removes_the_pod(lab: RuntimeLab) -> None:
    """A pod that cannot be made leaves nothing in the runtime."""
    init = Container("init", command=("sh", "-c", "exit 3"), init=True)

    with pytest.raises(LabError, match="ended with 3"):
        lab.run(Pod("broken", containers=(init, Container("app"))))

    assert lab.client.sandboxes() == []


def test_unknown_image_names_the_call(lab: RuntimeLab) -> None:
    """What the runtime refuses says which call it refused."""
    with pytest.raises(CallError, match="CreateContainer: "):
        lab.run(Pod("no-image", containers=(Container(image="localhost/nothing:1"),)))


def test_pids_limit_is_the_pods(lab: RuntimeLab) -> None:
    """The limit holds for all containers of a pod together."""
    command = ("sh", "-c", "for i in $(seq 50); do sleep 1000 & done; wait")
    running = lab.run(Pod("limited", containers=(Container(command=command),), pids_limit=40))

    wait_until("fork to fail", lambda: "fork" in running.log(), 10)
    assert len(children(running.pid())) < 40


def test_privileged_container_sees_a_mount_of_the_node(lab: RuntimeLab) -> None:
    """A privileged pod runs without CAP_SYS_RESOURCE, and mounts are read-only unless asked for otherwise."""
    command = ("sh", "-c", "touch /host/tmp/x; test -e /host/proc/1/stat && echo seen; exec sleep 1000")
    mounts = (Mount("/proc", "/host/proc"), Mount(str(lab.places.state), "/host/tmp"))
    container = Container(command=command, privileged=True, mounts=mounts)
    running = lab.run(Pod("privileged", containers=(container,)))

    wait_until("the container to look", lambda: "seen" in running.log(), 10)
    assert "Read-only file system" in running.log()


def test_ctr_lists_what_the_cri_made(lab: RuntimeLab) -> None:
    """The pid the CRI tells is the one containerd itself tells."""
    running = lab.run(Pod("listed"))
    tasks = dict(line.split()[:2] for line in lab.ctr("tasks", "ls").splitlines()[1:])

    assert tasks[running.sandbox_id] == str(running.pause_pid())
    assert tasks[running.container_ids["app"]] == str(running.pid())
