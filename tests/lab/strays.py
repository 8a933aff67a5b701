"""Processes that nobody manages, and pauses that are none: made for real, one verb per fault, as in `faults`."""

import json
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import faults
from lab.build.debian import debian_package
from lab.cgroups import hierarchies
from lab.pods import Pod, RunningPod
from lab.processes import all_pids, children, parent_pid
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

_EFFECT_SECONDS = 10.0

#: CONTAINER_EXITED of the CRI.
_EXITED = 2


@contextmanager
def process_left_in(lab: RuntimeLab, running: RunningPod, container: str = "app") -> Iterator[int]:
    """Kill a container, and put a process into its cgroup when the runtime calls it exited; gives its pid.

    No runtime kills it: what they kill is what was there at the container's end. Healed by killing it, at the latest
    when the context ends.
    """
    identifier = running.container_ids[container]
    faults._send(running.pid(container), signal.SIGKILL)
    what = f"{running.pod.name}/{container} to be called exited"
    wait_until(what, lambda: running.client.container_status(identifier).state == _EXITED, _EFFECT_SECONDS)
    with process_in(lab, f"{lab.cgroup.pod(running.uid)}/{identifier}") as pid:
        yield pid


@contextmanager
def process_in(lab: RuntimeLab, cgroup: str) -> Iterator[int]:
    """Run a process in a cgroup of the lab, made if it is not there, without any runtime; gives its pid."""
    directories = lab.cgroup.create(cgroup)
    with subprocess.Popen(["sleep", "1000000"]) as process:
        try:
            for directory in directories:
                (directory / "cgroup.procs").write_text(str(process.pid))
            yield process.pid
        finally:
            process.kill()


@contextmanager
def process_below(cgroup: str, names: str) -> Iterator[int]:
    """Run a process in cgroups that a container could have made below its own; gives its pid.

    Args:
        cgroup: Of the container.
        names: Of the cgroups, with a slash between them; any but a newline may stand in them.
    """
    places = [
        hierarchy.directory(cgroup) / names for hierarchy in hierarchies() if hierarchy.directory(cgroup).is_dir()
    ]
    # A new cpuset takes no process until it is given processors.
    directories = [place for place in places if not (place.parents[names.count("/")] / "cpuset.cpus").exists()]
    with subprocess.Popen(["sleep", "1000000"]) as process:
        try:
            for directory in directories:
                directory.mkdir(parents=True)
                (directory / "cgroup.procs").write_text(str(process.pid))
            yield process.pid
        finally:
            process.kill()
            process.wait()
            wait_until("its cgroups to be removable", lambda: all(_removed(one, cgroup) for one in directories), 10)


def _removed(directory: Path, below: str) -> bool:
    """Remove a cgroup and those above it, but not the one that has to stay; whether that went well."""
    name = below.rpartition("/")[2]
    try:
        for place in (directory, *directory.parents):
            if place.name == name:
                break
            if place.exists():
                place.rmdir()
    except OSError:
        return False  # busy, for a moment after its last process
    return True


def unlisted_container_cgroup(lab: RuntimeLab) -> str:
    """Return the name of a cgroup that a container of the lab's kubelet could have, of an id that nobody has."""
    return f"{lab.cgroup.pod(str(uuid.uuid4()))}/{uuid.uuid4().hex * 2}"


def shim_without_process(lab: RuntimeLab) -> tuple[str, int]:
    """Leave a shim behind whose process has ended, as when a client of containerd forgets a task.

    Returns:
        The id that it was started for, and its pid. Healed by deleting the task.
    """
    identifier = faults.unlisted_pause(lab)
    shim = shim_of(identifier)
    for pid in children(shim):
        faults._send(pid, signal.SIGKILL)
    wait_until("the shim to have no process", lambda: not children(shim), _EFFECT_SECONDS)
    return identifier, shim


def shim_of(identifier: str) -> int:
    """Return the pid of the shim with an id on its command line, as ps and grep find it."""
    listed = subprocess.run(["ps", "-eww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
    pids = [
        int(line.split()[0])
        for line in listed.stdout.splitlines()
        if "containerd-shim" in line and f"-id {identifier}" in line
    ]
    (pid,) = [pid for pid in pids if pid in all_pids() and parent_pid(pid)]
    return pid


def run_with_pause(lab: RuntimeLab, pod: Pod, script: str) -> RunningPod:
    """Run a pod whose pause is a shell script of busybox instead of the image's program. Healed by removing the pod."""
    fault = lab.places.faults / "pods" / pod.namespace / pod.name / "-"
    fault.parent.mkdir(parents=True, exist_ok=True)
    fault.write_text(json.dumps(as_pause(script)))
    try:
        return lab.run(pod)
    finally:
        fault.unlink()


def as_pause(script: str) -> dict[str, str]:
    """What lets a sandbox run a shell script of busybox instead of its pause, see oci/edit_bundle.py.

    On a node with a kubelet it is what `ClusterNode.falsify` takes for the container "-".
    """
    busybox = debian_package("busybox-static").directory / "bin" / "busybox"
    return {"do": "script", "busybox": str(busybox), "script": script}
