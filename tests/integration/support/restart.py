"""Ending the runtime of a lab and starting it again, as systemd does: pods and shims run on.

`lab.containerd` is the new one from then on; the kubelet of a cluster connects again by itself.
"""

import signal
import subprocess
import threading
from dataclasses import replace

from lab.cri.client import CallError
from lab.errors import LabError
from lab.pid_namespaces import pid_namespace_of
from lab.pods import RunningPod
from lab.processes import find_process, parent_pid
from lab.records import read_record, write_record
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

#: Moves into the cgroup of the lab's daemons, where the lab finds what it has to stop, and becomes the command.
INTO_CGROUPS = 'for one in $LAB_CGROUPS; do echo $$ >"$one/cgroup.procs"; done; exec "$@"'
ANSWER_SECONDS = 30.0


def kill_runtime(lab: RuntimeLab) -> None:
    """Kill containerd with SIGKILL; its socket stays behind, and nobody listens."""
    _end(lab, signal.SIGKILL)


def stop_runtime(lab: RuntimeLab) -> None:
    """End containerd with SIGTERM, as ``systemctl stop containerd`` does."""
    _end(lab, signal.SIGTERM)


def start_runtime_again(lab: RuntimeLab, shim_pid: int) -> None:
    """Start containerd in the namespaces of the one that has ended; returns when it answers.

    Args:
        lab: Whose runtime has ended.
        shim_pid: A shim that lives on, as the machine counts: it holds the lab's Linux namespaces.
    """
    inside = ["nsenter", f"--target={shim_pid}", "--mount", "--net", "--ipc", "--uts"]
    containerd = [str(lab.programs.bin / "containerd"), "--config", str(lab.places.run / "config.toml")]
    environment = {
        "PATH": f"{lab.programs.bin}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LAB_CGROUPS": " ".join(map(str, lab.cgroup.create(lab.cgroup.daemons))),
    }
    with lab.places.log.open("a") as log, pid_namespace_of(shim_pid):
        process = subprocess.Popen(
            ["sh", "-c", INTO_CGROUPS, "sh", *inside, *containerd],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # Waited for in the background: the lab kills it when it stops, and it must not stay a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    record, found = read_record(lab.places), find_process(process.pid)
    if record is None or found is None:
        raise LabError(f"the containerd of lab {lab.name} did not start again")
    write_record(lab.places, replace(record, containerd=found))
    wait_until("the new containerd to answer", lambda: answers(lab), ANSWER_SECONDS)


def shim_of(running: RunningPod) -> int:
    """The pid of a pod's shim."""
    return parent_pid(running.pause_pid())


def answers(lab: RuntimeLab) -> bool:
    """Whether the runtime is ready; a connection that is refused is made anew."""
    try:
        return not lab.client.unready_conditions()
    except CallError:
        return False


def _end(lab: RuntimeLab, number: signal.Signals) -> None:
    containerd = lab.containerd
    containerd.send(number)
    # Its first thread dies before the others, which hold the socket open for a moment more: a process whose threads
    # are all dead is reaped.
    wait_until("containerd to be gone", lambda: find_process(containerd.pid) != containerd, 30)
