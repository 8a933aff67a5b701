"""Each fault is really there, and its healing really heals, judged by /proc and the runtime."""

import signal
from collections.abc import Callable
from typing import get_args

import pytest

from lab import faults
from lab.cri.client import CallError
from lab.errors import WaitTimeoutError
from lab.pins import PAUSE_IMAGE
from lab.pods import Container, Pod, RunningPod
from lab.processes import children, find_process, linux_namespace, process_state, thread_count, zombies_of
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

_LINKS = {"network": "net", "ipc": "ipc", "uts": "uts", "pid": "pid"}
_every_kind = pytest.mark.parametrize("kind", get_args(faults.Kind))


def _namespaces(pid: int) -> dict[str, str]:
    return {kind: linux_namespace(pid, link) for kind, link in _LINKS.items()}


def _expected(running: RunningPod, kind: str, there: str) -> dict[str, str]:
    """The namespaces of a container of a pod with shared PID namespace, in which one is another."""
    return {**_namespaces(running.pause_pid()), kind: there}


@_every_kind
def test_namespace_path_dropped(lab: RuntimeLab, kind: faults.Kind) -> None:
    """The container is alone in a new namespace of that kind, and in no other."""
    running = lab.run(Pod("torn", share_pid=True))
    broken = faults.namespace_path_dropped(lab, running, "app", kind)
    there = linux_namespace(broken.pid(), _LINKS[kind])

    assert there not in {_namespaces(running.pause_pid())[kind], _namespaces(lab.containerd.pid)[kind]}
    assert _namespaces(broken.pid()) == _expected(running, kind, there)

    healed = faults.heal_container(lab, broken, "app")
    assert _namespaces(healed.pid()) == _namespaces(running.pause_pid())


@_every_kind
def test_namespace_of_host(lab: RuntimeLab, kind: faults.Kind) -> None:
    """The container is in the node's namespace of that kind, and in the pod's otherwise."""
    running = lab.run(Pod("torn", share_pid=True))
    broken = faults.namespace_of_host(lab, running, "app", kind)

    assert _namespaces(broken.pid()) == _expected(running, kind, _namespaces(lab.containerd.pid)[kind])

    healed = faults.heal_container(lab, broken, "app")
    assert _namespaces(healed.pid()) == _namespaces(running.pause_pid())


@_every_kind
def test_namespace_of_other_pod(lab: RuntimeLab, kind: faults.Kind) -> None:
    """The container is in another pod's namespace of that kind, and in its own pod's otherwise."""
    running, other = lab.run(Pod("torn", share_pid=True)), lab.run(Pod("other"))
    broken = faults.namespace_of_other_pod(lab, running, "app", kind, other)

    assert _namespaces(broken.pid()) == _expected(running, kind, _namespaces(other.pause_pid())[kind])

    healed = faults.heal_container(lab, broken, "app")
    assert _namespaces(healed.pid()) == _namespaces(running.pause_pid())


def test_fault_does_not_touch_the_sibling(lab: RuntimeLab) -> None:
    """A fault is set for one container; the one beside it keeps the sandbox's namespaces."""
    running = lab.run(Pod("pair", containers=(Container("app"), Container("side"))))
    sibling = _namespaces(running.pid("side"))
    broken = faults.namespace_path_dropped(lab, running, "app", "network")

    assert _namespaces(broken.pid("side")) == sibling
    assert broken.container_ids["app"] != running.container_ids["app"]


def test_restart_counts_attempts(lab: RuntimeLab) -> None:
    """A container that runs again has the next attempt number, as under a kubelet."""
    running = lab.run(Pod("again"))
    for attempt in (1, 2):
        running = faults.heal_container(lab, running, "app")
        assert lab.client.container_status(running.container_ids["app"]).metadata.attempt == attempt


def test_zombies_stay_with_a_first_process_that_never_waits(lab: RuntimeLab) -> None:
    """Orphans become children of PID 1, which is the container itself."""
    running = faults.zombies(lab, 15)

    assert len(zombies_of(running.pid())) == 15
    faults.more_zombies(running, 30)
    assert len(zombies_of(running.pid())) == 30


def test_zombies_are_reaped_by_a_shared_pause(lab: RuntimeLab) -> None:
    """In a shared PID namespace pause inherits orphans and waits for them."""
    running = faults.zombies(lab, 15, share_pid=True)

    assert zombies_of(running.pid()) == []
    assert zombies_of(running.pause_pid()) == []


@pytest.mark.parametrize("share_pid", [False, True], ids=["own-pid", "shared-pid"])
def test_unwaited_children_stay_whoever_is_first(lab: RuntimeLab, share_pid: bool) -> None:  # noqa: FBT001
    """Nobody reaps the children of a parent that lives, not even pause."""
    running = faults.unwaited_children(lab, 15, share_pid=share_pid)

    assert len(zombies_of(running.pid())) == 15


def test_zombies_reach_the_pods_pids_limit(lab: RuntimeLab) -> None:
    """Zombies are charged to pids.max: growing past it fails, and says what was waited for."""
    command = ("misbehave", "children", "20")
    running = lab.run(Pod("full", containers=(Container(command=command),), pids_limit=40))
    wait_until("the first zombies", lambda: len(zombies_of(running.pid())) == 20, 10)

    pid = running.pid()
    process = find_process(pid)
    assert process is not None
    process.send(signal.SIGUSR1)
    # pause, the container and 38 zombies are 40; the next fork fails, and the program with it.
    wait_until("fork to fail", lambda: "fork: Resource temporarily unavailable" in running.log(), 10)


def test_network_unshared(lab: RuntimeLab) -> None:
    """The first process left its network namespace; the rest is shared as before."""
    running = faults.network_unshared(lab)
    pause, app = _namespaces(running.pause_pid()), _namespaces(running.pid())

    assert app["network"] not in {pause["network"], _namespaces(lab.containerd.pid)["network"]}
    assert {app["ipc"], app["uts"]} == {pause["ipc"], pause["uts"]}


@pytest.mark.parametrize("whose", ["node", "other-pod"])
def test_network_mover(lab: RuntimeLab, whose: str) -> None:
    """One process, one pid: its network namespace changes under way, and back."""
    other = lab.containerd.pid if whose == "node" else lab.run(Pod("other")).pause_pid()
    running = faults.network_mover(lab, other)
    process, home = find_process(running.pid()), linux_namespace(running.pid(), "net")
    assert home == linux_namespace(running.pause_pid(), "net")

    faults.move_network(running)
    assert linux_namespace(running.pid(), "net") == linux_namespace(other, "net")

    faults.move_network_home(running)
    assert linux_namespace(running.pid(), "net") == home
    assert find_process(running.pid()) == process


def test_dead_leader_looks_like_a_zombie_and_lives(lab: RuntimeLab) -> None:
    """State Z with a second thread; the runtime calls the container running, and it can be removed."""
    running = faults.dead_leader(lab)
    pid = running.pid()

    assert process_state(pid) == "Z"
    assert thread_count(pid) == 2
    with pytest.raises(FileNotFoundError):
        linux_namespace(pid, "net")
    lab.remove(running)
    assert find_process(pid) is None


def test_dead_leaders_are_no_zombies(lab: RuntimeLab) -> None:
    """Children of that kind are in state Z, and none of them waits to be reaped."""
    running = faults.dead_leaders(lab, 3)
    found = children(running.pid())

    wait_until("three dead leaders", lambda: [process_state(pid) for pid in found] == ["Z"] * 3, 10)
    assert zombies_of(running.pid()) == []


def test_kill_pause_leaves_the_container_running(lab: RuntimeLab) -> None:
    """The sandbox is not ready; the container has a PID namespace of its own and lives."""
    running = lab.run(Pod("headless"))
    faults.kill_pause(running)

    assert process_state(running.pid()) in {"R", "S"}
    assert [sandbox.state for sandbox in lab.client.sandboxes()] == [1]


def test_kill_pause_ends_a_shared_pid_namespace(lab: RuntimeLab) -> None:
    """When PID 1 of a namespace dies, everything in it dies."""
    running = lab.run(Pod("headless", share_pid=True))
    pid = running.pid()
    faults.kill_pause(running)

    wait_until("the container to die with pause", lambda: find_process(pid) is None, 10)


def test_stopped_shim_leaves_the_dead_unreaped(lab: RuntimeLab) -> None:
    """The runtime calls the container running until the shim goes on; then it has exited."""
    running = lab.run(Pod("hollow"))
    app, pid = running.container_ids["app"], running.pid()
    with faults.stopped_shim(running) as shim:
        faults.kill_unreaped(pid)

        assert zombies_of(shim.pid) == [pid]
        assert lab.client.container_status(app).state == 1
    wait_until("the container to have exited", lambda: lab.client.container_status(app).state == 2, 10)
    assert find_process(pid) is None


def test_sandbox_once_more(lab: RuntimeLab) -> None:
    """Both are ready, and of one pod."""
    running = lab.run(Pod("twin"))
    second = faults.sandbox_once_more(lab, running)

    assert {(one.metadata.uid, one.metadata.attempt, one.state) for one in lab.client.sandboxes()} == {
        (running.uid, 0, 0),
        (second.uid, 1, 0),
    }


def test_kill_shim_ends_the_runtimes_view(lab: RuntimeLab) -> None:
    """Without its shim a sandbox is not ready any more, and it can still be removed."""
    running = lab.run(Pod("no-shim"))
    faults.kill_shim(running)

    wait_until("the sandbox to be not ready", lambda: lab.client.sandbox_status(running.sandbox_id).state == 1, 10)
    lab.remove(running)
    assert lab.client.sandboxes() == []


def test_hanging_runtime_answers_again(lab: RuntimeLab) -> None:
    """While it hangs a call only ends by its deadline; afterwards everything is as before."""
    running = lab.run(Pod("patient"))
    pid = running.pid()

    with faults.hanging_runtime(lab), pytest.raises(CallError, match="DEADLINE_EXCEEDED"):
        lab.client.version(0.3)

    assert lab.client.version().runtime_name == "containerd"
    assert running.pid() == pid


def test_leaked_network_namespace(lab: RuntimeLab) -> None:
    """It is pinned in the lab's /run/netns, not in the machine's."""
    name = faults.leaked_network_namespace(lab)

    assert name in lab.enter("ls", "/run/netns").split()
    assert "net:[" in lab.enter("grep", name, "/proc/self/mountinfo")
    faults.remove_network_namespace(lab, name)
    assert name not in lab.enter("ls", "/run/netns").split()


def test_unlisted_pause(lab: RuntimeLab) -> None:
    """containerd runs it, the CRI does not know it, and it is in the lab's cgroup."""
    name = faults.unlisted_pause(lab)

    assert name in lab.ctr("tasks", "ls")
    assert lab.client.sandboxes() == []
    assert lab.client.containers() == []
    faults.remove_unlisted_pause(lab, name)
    assert name not in lab.ctr("tasks", "ls")


def test_sandbox_image_removed(lab: RuntimeLab) -> None:
    """The next pod cannot be made; importing the images heals it."""
    faults.sandbox_image_removed(lab)

    with pytest.raises(CallError, match="RunPodSandbox"):
        lab.run(Pod("no-pause"))
    lab.import_images()
    assert lab.client.has_image(PAUSE_IMAGE)
    lab.run(Pod("pause-again"))


def test_verb_that_fails_says_why(lab: RuntimeLab) -> None:
    """A wait that runs out names what it waited for."""
    running = faults.zombies(lab, 1)

    with pytest.raises(WaitTimeoutError, match="in vain"):
        _impatiently(lambda: len(zombies_of(running.pid())) == 2)


def _impatiently(probe: Callable[[], bool]) -> None:
    wait_until("a second zombie", probe, 0.1)
