"""A node that is hard on whoever looks at it, made for real: one verb per hardship, as in `faults`."""

import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab import silent
from lab.build.hostile import ensure_hostile
from lab.errors import LabError
from lab.pods import Container, Mount, Pod, RunningPod
from lab.processes import children
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

#: Twenty thousand processes take a second or two on an idle machine.
_CROWD_SECONDS = 120.0
_SILENCE_SECONDS = 20.0
#: A reader that has not come back after so long hangs: the file is read in microseconds.
_READ_SECONDS = 0.5
_PROGRAMS = "/hostile"
_MOST_AT_ONCE = 250

#: Pins a network namespace under each of some names; one program after the other would take a minute.
_PIN = """
import ctypes, os, sys
library = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, MS_BIND = 0x40000000, 0x1000
os.makedirs("/run/netns", exist_ok=True)
for name in sys.argv[1:]:
    file = f"/run/netns/{name}"
    open(file, "x").close()
    if library.unshare(CLONE_NEWNET) or library.mount(b"/proc/self/ns/net", file.encode(), b"none", MS_BIND, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def run_hostile(lab: RuntimeLab, name: str, *arguments: str, namespace: str = "lab") -> RunningPod:
    """Make a pod whose one container, "app", runs hostile (see images/hostile.c). Healed by removing the pod."""
    mount = Mount(str(ensure_hostile()), _PROGRAMS)
    container = Container(command=(f"{_PROGRAMS}/hostile", *arguments), mounts=(mount,))
    return lab.run(Pod(name, namespace=namespace, containers=(container,)))


def crowd(lab: RuntimeLab, count: int, name: str = "crowd") -> RunningPod:
    """Make a pod with so many processes, as one with a fork bomb that has met its limit. Healed by removing the pod."""
    return _many(lab, name, "crowd", count)


def dead(lab: RuntimeLab, count: int, name: str = "dead") -> RunningPod:
    """Make a pod with so many zombies. Healed by removing the pod."""
    return _many(lab, name, "dead", count)


def dead_called(lab: RuntimeLab, count: int, called: bytes, name: str = "called") -> RunningPod:
    """Make a pod with zombies that, as their parent, have a name of any 15 bytes but zero. Healed by removing it."""
    running = run_hostile(lab, name, "named", called.hex(), "dead", str(count))
    _await_children(running, count)
    return running


@contextmanager
def locked_memory(lab: RuntimeLab, name: str, *, on_the_node: bool) -> Iterator[int]:
    """Run a process whose memory nobody can look at: who reads its arguments waits in state D; gives its pid.

    Args:
        lab: On whose node.
        name: What it is called.
        on_the_node: Whether it is in the mount namespace of the runtime, where no pod can be; else in its own.
    """
    with tempfile.TemporaryDirectory(dir=lab.places.run) as directory:
        way = _on_the_node(lab) if on_the_node else ["unshare", "--mount", "--propagation", "private"]
        try:
            with _silent(way, "memory", directory, name) as pid:
                wait_until(f"reading the arguments of {name} to hang", lambda: _hangs(pid), _SILENCE_SECONDS)
                yield pid
        finally:
            if on_the_node:
                lab.enter("umount", "--lazy", directory)


@contextmanager
def silent_directory(lab: RuntimeLab, directory: Path) -> Iterator[None]:
    """Let a directory of the lab's node be on a file system that answers nothing, as a server that is gone."""
    try:
        with _silent(_on_the_node(lab), "directory", str(directory)):
            yield
    finally:
        lab.enter("umount", "--lazy", str(directory))


def pin_network_namespaces(lab: RuntimeLab, count: int) -> tuple[str, ...]:
    """Pin network namespaces under names of containerd's pattern that no sandbox owns; returns the names.

    Healed by `unpin_network_namespaces`.
    """
    names = tuple(f"cni-{uuid.uuid4()}" for _ in range(count))
    for part in _parts(names):
        lab.enter(sys.executable, "-I", "-c", _PIN, *part)
    return names


def unpin_network_namespaces(lab: RuntimeLab, names: Sequence[str]) -> None:
    """Remove what `pin_network_namespaces` has made."""
    for part in _parts(names):
        lab.enter("sh", "-c", 'cd /run/netns && umount "$@" && rm "$@"', "sh", *part)


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), _MOST_AT_ONCE):
        yield names[first : first + _MOST_AT_ONCE]


def _many(lab: RuntimeLab, name: str, verb: str, count: int) -> RunningPod:
    running = run_hostile(lab, name, verb, str(count))
    try:
        what = f"{count} processes of {name}"
        wait_until(what, lambda: _is_ready(running), _CROWD_SECONDS)
    except BaseException:
        lab.remove(running)
        raise
    return running


def _is_ready(running: RunningPod) -> bool:
    log = running.log()
    if " stderr " in log:
        raise LabError(f"{running.pod.name}: {log.strip()}")
    return "ready" in log


def _await_children(running: RunningPod, count: int) -> None:
    pid = running.pid()
    wait_until(f"{count} children of {running.pod.name}", lambda: len(children(pid)) == count, _CROWD_SECONDS)


def _on_the_node(lab: RuntimeLab) -> list[str]:
    return ["nsenter", f"--mount=/proc/{lab.containerd.pid}/ns/mnt"]


@contextmanager
def _silent(way: Sequence[str], *arguments: str) -> Iterator[int]:
    """Run silent.py; leaving the context ends its input, and so the process."""
    command = [*way, sys.executable, "-I", silent.__file__, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            if process.stdout.readline() != "ready\n":
                raise LabError(f"{' '.join(arguments)}: it did not start")
            yield process.pid
        finally:
            process.kill()


def _hangs(pid: int) -> bool:
    """Whether a reader of the arguments of a process does not come back; it is killed then."""
    with subprocess.Popen(["cat", f"/proc/{pid}/cmdline"], stdout=subprocess.DEVNULL) as reader:
        try:
            reader.wait(_READ_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        finally:
            reader.kill()
    return False
