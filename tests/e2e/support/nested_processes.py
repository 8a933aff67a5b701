"""What tests do on a further node of the cluster, where processes have numbers of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from e2e.support.faulty import ZOMBIES
from e2e.support.workloads import LONG_GRACE_SECONDS
from lab.errors import LabError
from lab.pods import Container, Pod, RunningPod
from lab.processes import status_pids, zombies_of
from lab.shapes.nested_node import NestedNode
from lab.waiting import wait_until


def pid_of_task(node: NestedNode, container_id: str) -> int:
    """The pid of a container's first process, as the runtime of its node tells it."""
    listed = (line.split() for line in node.runtime.ctr("tasks", "ls").splitlines())
    return next(int(columns[1]) for columns in listed if columns[0] == container_id)


@contextmanager
def process_in(node: NestedNode, cgroup: str) -> Iterator[int]:
    """Run a process of the node in a cgroup, without any runtime; gives its number there."""
    directories = node.runtime.cgroup.create(cgroup)
    with node.popen(["sleep", "1000000"]) as process:
        try:
            for directory in directories:
                (directory / "cgroup.procs").write_text(str(process.pid))
            yield status_pids(process.pid)[1]
        finally:
            process.kill()


def run_forgetful(node: NestedNode, name: str, *, share_pid: bool = False) -> RunningPod:
    """Run a pod on a node whose first process never waits for its dead children."""
    containers = (Container(command=("misbehave", "children", str(ZOMBIES))),)
    forgetful = node.run(Pod(name, containers=containers, share_pid=share_pid))
    parent = node.machine_pid(forgetful.pid())
    wait_until("its children to die", lambda: len(zombies_of(parent)) == ZOMBIES, 10)
    return forgetful


def run_slow_to_end(node: NestedNode, name: str) -> RunningPod:
    """Run a pod on a node that takes ten minutes to end."""
    manifest = node.manifest(Pod(name))
    manifest["spec"]["terminationGracePeriodSeconds"] = LONG_GRACE_SECONDS
    node.apply(manifest)
    return node.wait_for_pod(name)


def kill(node: NestedNode, pid: int) -> None:
    """Kill a process, by the number that it has on its node."""
    node.runtime.enter("sh", "-c", f"kill -KILL {pid}")


def link(node: NestedNode, pid: int, kind: str) -> str:
    """A Linux namespace of a process as the node itself shows it, "net:[4026531840]"."""
    return node.runtime.enter("readlink", f"/proc/{pid}/ns/{kind}").strip()


def name_of(node: NestedNode, pid: int) -> str:
    """What the kernel calls a process, as the node itself shows it."""
    return node.runtime.enter("cat", f"/proc/{pid}/comm").strip()


def restarted(node: NestedNode, before: RunningPod) -> bool:
    """Whether the pod's container runs again, as another one than before."""
    return _runs_anew(node, before, lambda now: now.container_ids["app"] != before.container_ids["app"])


def made_anew(node: NestedNode, before: RunningPod) -> bool:
    """Whether the pod runs in another sandbox than before."""
    return _runs_anew(node, before, lambda now: now.sandbox_id != before.sandbox_id)


def _runs_anew(node: NestedNode, before: RunningPod, is_another: Callable[[RunningPod], bool]) -> bool:
    try:
        now = node.find_pod(before.pod.name)
        return is_another(now) and now.pid() > 0
    except (LabError, KeyError):
        return False  # made, and not started yet
