"""What may befall a whole machine: made in the virtual one only, where nobody else notices."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.shapes.vm_node import VmNode

FREE_PIDS = 300
"""Beyond those that are taken: used up by something that starts processes in a second or a few."""

_LEAST_PID_MAX = 400

_RESERVED = """\
directory=$(dirname "$(ls -d /var/lib/cni/networks/*/last_reserved_ip.0)")
printf '%s\\r\\neth0' "$1" >"$directory/$2"
echo "$directory/$2"
"""


@contextmanager
def few_pids(node: VmNode) -> Iterator[int]:
    """Let the machine have few numbers for processes, so that each is given away again soon; gives how many.

    Rule: kernel.pid_max, Documentation/admin-guide/sysctl/kernel.rst. Numbers are given in turn, the lowest free one
    after the highest.
    """
    before = int(node.runtime.enter("cat", "/proc/sys/kernel/pid_max"))
    taken = len(node.runtime.enter("sh", "-c", "ls -d /proc/[0-9]*/task/[0-9]*").splitlines())
    most = max(taken + FREE_PIDS, _LEAST_PID_MAX)
    _set_pid_max(node, most)
    try:
        yield most
    finally:
        _set_pid_max(node, before)


def forks(node: VmNode) -> int:
    """How many processes and threads were started there since boot.

    Rule: the line "processes" of /proc/stat, proc_stat(5).
    """
    lines = node.runtime.enter("cat", "/proc/stat").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("processes "))


def uptime_seconds(node: VmNode) -> float:
    """For how long the machine has run."""
    return float(node.runtime.enter("cat", "/proc/uptime").split()[0])


@contextmanager
def clock_of(node: VmNode) -> Iterator[None]:
    """Set the machine's clock right in the end, whatever was done to it within."""
    try:
        yield
    finally:
        node.runtime.enter("date", "--set", f"@{time.time():.3f}")


def step_clock(node: VmNode, hours: float) -> None:
    """Set the machine's clock forward, or back, by so much."""
    node.runtime.enter("sh", "-c", 'date --set "@$(($(date +%s) + $1))"', "sh", str(round(hours * 3600)))


@contextmanager
def reserved_for_nobody(node: VmNode, address: str) -> Iterator[None]:
    """Let an address be reserved, from now on, for a sandbox that the runtime does not have."""
    file = node.runtime.enter("sh", "-c", _RESERVED, "sh", "f" * 64, address).strip()
    try:
        yield
    finally:
        node.runtime.enter("rm", file)


def _set_pid_max(node: VmNode, most: int) -> None:
    node.runtime.enter("sh", "-c", "echo $1 >/proc/sys/kernel/pid_max", "sh", str(most))
