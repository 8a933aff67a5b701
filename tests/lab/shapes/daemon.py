"""The process containerd: starting it inside the lab, knowing when it is ready, ending it in good order."""

import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import grpc

from lab.build.runtime import RuntimePrograms
from lab.cgroups import LabCgroup
from lab.cri.client import CallError, CriClient
from lab.errors import LabError
from lab.places import Places
from lab.processes import Process, find_process
from lab.records import read_record
from lab.shapes.containerd import start_command
from lab.waiting import wait_until

#: Seconds for containerd to answer after its start; it takes one here.
_READY_SECONDS = 30.0
#: Seconds for all pods to be taken down by the runtime itself; what it has not managed by then is killed.
_PODS_SECONDS = 10.0
#: Seconds for containerd to end after SIGTERM, before everything of the lab is killed anyway.
_TERM_SECONDS = 5.0
_PROBE_SECONDS = 3.0
_LOG_TAIL_LINES = 15


def spawn(places: Places, programs: RuntimePrograms, cgroups: Sequence[Path]) -> Process:
    """Start containerd in the given cgroup directories and in namespaces of its own; it need not be ready yet.

    Raises:
        LabError: It ended at once; ends with its log.
    """
    environment = {
        # The shim is found here; mount, ip and unshare in the machine's own directories.
        "PATH": f"{programs.bin}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LAB_CGROUPS": " ".join(map(str, cgroups)),
        "LAB_RUN": str(places.run),
        "LAB_STATE": str(places.state),
        "LAB_UNSHARE": "",
    }
    with places.log.open("w") as log:
        process = subprocess.Popen(
            start_command(places, programs),
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Its own session: a Ctrl-C in the terminal is for us, and we remove the pods before containerd.
            start_new_session=True,
        )
    found = find_process(process.pid)
    # Waited for in the background: whoever kills our child, it must not stay a zombie while we live.
    threading.Thread(target=process.wait, name="lab-reaper", daemon=True).start()
    if found is None:
        raise LabError(f"containerd ended at once{_log_tail(places)}")
    return found


def await_ready(client: CriClient, containerd: Process, places: Places) -> None:
    """Wait until the runtime and its network say that they are ready.

    Raises:
        WaitTimeoutError: They did not within 30 s.
        LabError: containerd ended; ends with its log.
    """
    wait_until("containerd to be ready", lambda: _is_ready(client, containerd, places), _READY_SECONDS)


def shut_down(places: Places) -> None:
    """Let the runtime take its pods down and end, as far as it still can; never raises LabError.

    What is left is for the caller to kill: a runtime that hangs or has lost a shim does not get its pods down.
    """
    with suppress(LabError):
        record = read_record(places)
        if record is None or not record.containerd.is_alive():
            return
        record.containerd.send(signal.SIGCONT)  # a fault may have stopped it
        client = CriClient.connect(places.socket)
        try:
            client.version(_PROBE_SECONDS)
            LabCgroup(places.name).kill_dead_leaders()
            deadline = time.monotonic() + _PODS_SECONDS
            for sandbox in client.sandboxes():
                client.remove_sandbox(sandbox.id, max(0.1, deadline - time.monotonic()))
        finally:
            client.close()
            record.containerd.send(signal.SIGTERM)
        wait_until("containerd to end", lambda: not record.containerd.is_alive(), _TERM_SECONDS)


def _is_ready(client: CriClient, containerd: Process, places: Places) -> bool:
    if not containerd.is_alive():
        raise LabError(f"containerd ended while it started{_log_tail(places)}")
    try:
        return not client.unready_conditions()
    except CallError as error:
        # UNIMPLEMENTED: the socket is served before the CRI plugin has registered its service.
        if error.code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED}:
            return False
        raise


def _log_tail(places: Places) -> str:
    lines = places.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return "; its log ends:\n  " + "\n  ".join(lines)
