"""Living, dying and dead processes of the real /proc. All of it needs root, as the whole test suite does."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

NOBODY = 65534

A_ZOMBIE_AND_ITS_PARENT = """
import os, sys
child = os.fork()
if not child:
    os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print("ready", flush=True)
sys.stdin.read()
"""

A_LEADER_THAT_EXITED = """
import ctypes, sys, threading

def live_on():
    while b") Z " not in open("/proc/self/stat", "rb").read():
        pass
    print("ready", flush=True)
    sys.stdin.read()

threading.Thread(target=live_on).start()
ctypes.CDLL(None).pthread_exit(None)
"""

A_MOVER = """
import ctypes, sys
print("ready", flush=True)
sys.stdin.readline()
ctypes.CDLL(None).unshare(0x04000000)  # CLONE_NEWUTS
print("moved", flush=True)
sys.stdin.read()
"""


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that says when it is ready and lives until its input ends; killed at the end."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", f"{command} did not start; the tests need root"
            yield process
        finally:
            process.kill()


def python(script: str) -> tuple[str, ...]:
    """Return the command that runs a script with this interpreter."""
    return (sys.executable, "-c", script)


def environment() -> dict[str, str]:
    """Return the environment in which such a script finds our packages."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def zombie() -> Iterator[int]:
    """Keep a child that has exited and is not waited for; gives its pid."""
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process.pid


def as_nobody(work: Callable[[], T]) -> T:
    """Return what ``work`` returns to an ordinary user without any capability."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(writing, pickle.dumps(work()))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        content = answer.read()
    os.waitpid(child, 0)
    return pickle.loads(content)  # type: ignore[no-any-return]  # noqa: S301  written by our own child
