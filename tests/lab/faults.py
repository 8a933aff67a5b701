"""Breaking pods and the runtime for real, one verb per fault.

Each verb returns when its fault is there, and says in its docstring how it is healed. Removing the pod heals all
that is wrong inside of it. A verb that makes a pod gives it one container, called "app".
"""

import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from lab.cri import lab_cri_pb2 as pb
from lab.errors import LabError
from lab.pins import PAUSE_IMAGE
from lab.pods import Container, Mount, Pod, RunningPod
from lab.processes import (
    Process,
    find_process,
    linux_namespace,
    parent_pid,
    process_state,
    zombies_of,
)
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

#: The Linux namespaces that a container's OCI configuration names, called as there.
Kind = Literal["network", "ipc", "uts", "pid"]

#: Seconds for a signal or a small program to take effect.
_EFFECT_SECONDS = 10.0
_HOST_PROC = "/host/proc"


def namespace_path_dropped(lab: RuntimeLab, running: RunningPod, container: str, kind: Kind) -> RunningPod:
    """Run a container again with a namespace of its own where it should share its sandbox's.

    Its OCI configuration loses the path, so runc makes a new namespace. Healed by `heal_container`.
    """
    return lab.restart(running, container, {"type": kind, "do": "fresh"})


def namespace_of_host(lab: RuntimeLab, running: RunningPod, container: str, kind: Kind) -> RunningPod:
    """Run a container again in the node's own namespace.

    Its OCI configuration loses the entry, so the container stays where runc is: for "network" the lab's namespace,
    for the others the machine's, which the lab's node shares. Healed by `heal_container`.
    """
    return lab.restart(running, container, {"type": kind, "do": "host"})


def namespace_of_other_pod(
    lab: RuntimeLab, running: RunningPod, container: str, kind: Kind, other: RunningPod
) -> RunningPod:
    """Run a container again in the namespace of another pod's pause. Healed by `heal_container`."""
    link = {"network": "net"}.get(kind, kind)
    return lab.restart(running, container, {"type": kind, "do": "join", "path": f"/proc/{other.pause_pid()}/ns/{link}"})


def heal_container(lab: RuntimeLab, running: RunningPod, container: str) -> RunningPod:
    """Run a container again as it was asked for, which undoes the three faults above."""
    return lab.restart(running, container)


def zombies(lab: RuntimeLab, count: int, *, name: str = "zombies", share_pid: bool = False) -> RunningPod:
    """Make a pod whose first process starts `count` grandchildren that lose their parent and exit.

    PID 1 of the PID namespace inherits them. That is this process itself, which never waits: `count` zombies.
    With `share_pid` it is pause, which reaps them: no zombie is left when this returns.
    Grows with `more_zombies`; healed by removing the pod.
    """
    running = _run(lab, name, Container(command=("misbehave", "orphans", str(count))), share_pid=share_pid)
    if share_pid:
        wait_until(f"pause to reap what {name} left", lambda: not zombies_of(running.pause_pid()), _EFFECT_SECONDS)
    else:
        _await_zombies(running, count)
    return running


def unwaited_children(lab: RuntimeLab, count: int, *, name: str = "unwaited", share_pid: bool = False) -> RunningPod:
    """Make a pod whose first process has `count` dead children and never waits for them.

    Nobody else can reap them while it lives, with `share_pid` neither: pause inherits only what has lost its parent.
    Grows with `more_zombies`; healed by removing the pod.
    """
    running = _run(lab, name, Container(command=("misbehave", "children", str(count))), share_pid=share_pid)
    _await_zombies(running, count)
    return running


def more_zombies(running: RunningPod, count: int) -> None:
    """Let a pod of one of the two verbs above make its number of zombies once more.

    Args:
        running: The pod, not with a shared PID namespace if it came from `zombies`.
        count: How many there have to be then, all in all.

    Raises:
        WaitTimeoutError: There are fewer after 10 s, e.g. because the pod's pids.max is reached.
    """
    _send(running.pid(), signal.SIGUSR1)
    _await_zombies(running, count)


def network_unshared(lab: RuntimeLab, *, name: str = "unshared") -> RunningPod:
    """Make a pod whose privileged first process leaves the pod's network namespace for a new one.

    Its address and routes stay behind with pause. Healed by removing the pod.
    """
    running = _run(lab, name, Container(command=("misbehave", "unshare-net"), privileged=True))
    pause = linux_namespace(running.pause_pid(), "net")
    what = f"{name} to leave its network namespace"
    wait_until(what, lambda: linux_namespace(running.pid(), "net") != pause, _EFFECT_SECONDS)
    return running


def network_mover(lab: RuntimeLab, into: int, *, name: str = "mover") -> RunningPod:
    """Make a pod whose privileged first process can enter another network namespace while it runs.

    Nothing is wrong yet: see `move_network` and `move_network_home`.

    Args:
        lab: Where.
        into: Pid of a process in the other namespace: another pod's pause, or `lab.containerd.pid` for the node.
        name: The pod's name.
    """
    container = Container(
        command=("misbehave", "setns-net", f"{_HOST_PROC}/{into}/ns/net"),
        privileged=True,
        mounts=(Mount("/proc", _HOST_PROC),),
    )
    return _run(lab, name, container)


def move_network(running: RunningPod) -> None:
    """Let the first process of a `network_mover` enter the other namespace. Healed by `move_network_home`."""
    _change_network(running, signal.SIGUSR1)


def move_network_home(running: RunningPod) -> None:
    """Let the first process of a `network_mover` come back to its pod's network namespace."""
    _change_network(running, signal.SIGUSR2)


def dead_leader(lab: RuntimeLab, *, name: str = "dead-leader") -> RunningPod:
    """Make a pod whose first process has lost its first thread but lives on in a second one.

    The kernel shows state Z, as for a zombie, and its ns links are gone; it is alive and works. No fault at all,
    but easily taken for one. runc takes it for one, too: StopPodSandbox waits for it until its deadline, and a real
    kubelet never gets rid of the pod. `RuntimeLab.remove` kills it first, by its pid; so does healing it by hand.
    """
    running = _run(lab, name, Container(command=("misbehave", "dead-leader")))
    pid = running.pid()
    wait_until(f"the first thread of {name} to exit", lambda: process_state(pid) == "Z", _EFFECT_SECONDS)
    return running


def dead_leaders(lab: RuntimeLab, count: int, *, name: str = "dead-leaders") -> RunningPod:
    """Make a pod whose first process has `count` living children of the kind of `dead_leader`. Gone with the pod."""
    return _run(lab, name, Container(command=("misbehave", "dead-leaders", str(count))))


def kill_pause(running: RunningPod) -> None:
    """Kill a sandbox's pause with SIGKILL; returns when the runtime calls the sandbox not ready.

    Containers with a PID namespace of their own run on; those that share the sandbox's die with it.
    Healed by removing the pod.
    """
    _send(running.pause_pid(), signal.SIGKILL)
    # 1 is SANDBOX_NOTREADY: an absent state would read as ready.
    what = f"the runtime to see that the pause of {running.pod.name} is gone"
    wait_until(what, lambda: running.client.sandbox_status(running.sandbox_id).state == 1, _EFFECT_SECONDS)


@contextmanager
def stopped_shim(running: RunningPod) -> Iterator[Process]:
    """Within this context a sandbox's shim, which it yields, is stopped with SIGSTOP.

    It reaps nobody and tells the runtime nothing: see `kill_unreaped`. Calls that ask it hang, and the verbose status
    of the sandbox is one; what the runtime lists comes from its own memory.
    """
    shim = find_process(parent_pid(running.pause_pid()))
    if shim is None:
        raise LabError(f"the sandbox of {running.pod.name} has no shim")
    shim.send(signal.SIGSTOP)
    try:
        wait_until(f"the shim of {running.pod.name} to stop", lambda: process_state(shim.pid) == "T", _EFFECT_SECONDS)
        yield shim
    finally:
        shim.send(signal.SIGCONT)


def kill_unreaped(pid: int) -> None:
    """Kill a pause or the first process of a container whose shim is stopped: it stays a zombie.

    The runtime goes on calling the sandbox ready and the container running. Healed when the shim goes on.
    """
    _send(pid, signal.SIGKILL)
    wait_until(f"pid {pid} to be a zombie", lambda: process_state(pid) == "Z", _EFFECT_SECONDS)


def sandbox_once_more(lab: RuntimeLab, running: RunningPod) -> RunningPod:
    """Make one more sandbox for a pod, with the next attempt number and no container; the earlier one stays as it is.

    A kubelet stops the earlier one first: without that the pod has two ready ones. Healed by removing either.
    """
    config = pb.PodSandboxConfig()
    config.CopyFrom(running.sandbox_config)
    config.metadata.attempt += 1
    made = lab.client.run_sandbox(config, running.pod.runtime_handler)
    return replace(running, sandbox_id=made, sandbox_config=config, container_ids={})


def kill_shim(running: RunningPod) -> None:
    """Kill a sandbox's shim with SIGKILL; the runtime loses sight of its processes, which live on.

    containerd notices within seconds and cleans up behind it, so pause and containers die a little later.
    Healed by removing the pod, which a kubelet has to try more than once until then.
    """
    _send(parent_pid(running.pause_pid()), signal.SIGKILL)


def hang_runtime(lab: RuntimeLab) -> None:
    """Stop containerd with SIGSTOP: its socket accepts connections, and no call is ever answered.

    Pods run on. Healed by `resume_runtime`.
    """
    lab.containerd.send(signal.SIGSTOP)
    wait_until("containerd to stop", lambda: process_state(lab.containerd.pid) == "T", _EFFECT_SECONDS)


def resume_runtime(lab: RuntimeLab) -> None:
    """Let a stopped containerd go on; returns when it answers."""
    lab.containerd.send(signal.SIGCONT)
    lab.client.version()


@contextmanager
def hanging_runtime(lab: RuntimeLab) -> Iterator[None]:
    """Within this context containerd hangs (see `hang_runtime`)."""
    hang_runtime(lab)
    try:
        yield
    finally:
        resume_runtime(lab)


def leaked_network_namespace(lab: RuntimeLab) -> str:
    """Pin a network namespace under a name of containerd's pattern that no sandbox owns.

    Returns:
        Its name below the lab's /run/netns. Healed by `remove_network_namespace`.
    """
    name = f"cni-{uuid.uuid4()}"
    lab.enter("ip", "netns", "add", name)
    return name


def remove_network_namespace(lab: RuntimeLab, name: str) -> None:
    """Remove what `leaked_network_namespace` has made."""
    lab.enter("ip", "netns", "delete", name)


def unlisted_pause(lab: RuntimeLab) -> str:
    """Run the pause image through containerd but not through the CRI, so that the CRI does not list it.

    Returns:
        Its container id. Healed by `remove_unlisted_pause`.
    """
    name = uuid.uuid4().hex * 2  # 64 hex digits, like the ids the CRI makes
    cgroup = f"{lab.cgroup.path}/kubepods/besteffort/pod{uuid.uuid4()}/{name}"
    lab.cgroup.create(cgroup)
    lab.ctr("run", "--detach", "--runc-binary", str(lab.programs.runc), "--cgroup", cgroup, PAUSE_IMAGE, name)
    return name


def remove_unlisted_pause(lab: RuntimeLab, name: str) -> None:
    """Remove what `unlisted_pause` has made."""
    lab.ctr("tasks", "delete", "--force", name)
    lab.ctr("containers", "delete", name)


def sandbox_image_removed(lab: RuntimeLab) -> None:
    """Remove the pause image: running pods go on, the next one would need a pull. Healed by `lab.import_images`."""
    lab.client.remove_image(PAUSE_IMAGE)
    wait_until("the CRI to forget the pause image", lambda: not lab.client.has_image(PAUSE_IMAGE), _EFFECT_SECONDS)


def _run(lab: RuntimeLab, name: str, container: Container, *, share_pid: bool = False) -> RunningPod:
    """Run a pod of `misbehave` and wait until it has done what it does at its start."""
    running = lab.run(Pod(name, containers=(container,), share_pid=share_pid))
    try:
        wait_until(f"{name} to be ready", lambda: _is_ready(running), _EFFECT_SECONDS)
    except BaseException:
        lab.remove(running)
        raise
    return running


def _is_ready(running: RunningPod) -> bool:
    log = running.log()
    if "misbehave:" in log or " stderr " in log:
        raise LabError(f"{running.pod.name}: {log.strip()}")
    return "ready" in log


def _await_zombies(running: RunningPod, count: int) -> None:
    pid = running.pid()
    what = f"{count} zombies of {running.pod.name}"
    wait_until(what, lambda: len(zombies_of(pid)) >= count, _EFFECT_SECONDS)


def _change_network(running: RunningPod, number: signal.Signals) -> None:
    pid = running.pid()
    before = linux_namespace(pid, "net")
    _send(pid, number)
    what = f"{running.pod.name} to change its network namespace"
    wait_until(what, lambda: linux_namespace(pid, "net") != before, _EFFECT_SECONDS)


def _send(pid: int, number: signal.Signals) -> None:
    process = find_process(pid)
    if process is None:
        raise LabError(f"pid {pid} is gone")
    process.send(number)
