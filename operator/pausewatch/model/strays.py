"""Processes in cgroups of containers that the runtime does not run: who put them there, and who tells about them."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pausewatch.model.availability import Unavailable
from pausewatch.model.membership import NAMESPACE_OF_THE_CRI, SETTLING_SECONDS, Membership, Monitor
from pausewatch.model.next_commands import unless_listed
from pausewatch.model.process import Process
from pausewatch.model.report import Evidence
from pausewatch.model.sandbox import Container
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView

PROCESSES_SHOWN = 3

STARTER = "runc:["
"""How the name of a process begins that runc made and that is not the container's program yet (libcontainer/nsenter).
Any process may call itself so, and hides for a moment longer by it."""

STARTING_SECONDS = 60
"""A busy runtime takes half a minute to get rid of a container whose pod was deleted while it was being started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayGroup:
    """The living processes in the cgroup of one container that has exited, or that the runtime does not list."""

    container_id: str
    container: Container | None
    """The exited one; None if it is not listed."""

    cgroup_path: str
    processes: tuple[Process, ...]
    """The earliest first."""

    monitors: tuple[Monitor, ...]
    """Of any runtime, that are parents of these processes: each started a container or an exec session."""

    @property
    def count(self) -> str:
        """How many processes, in words: ``1 process``, ``10+ processes``."""
        return f"{at_least(len(self.processes))} process{'' if len(self.processes) == 1 else 'es'}"

    @property
    def is_managed_by_our_monitor(self) -> bool:
        """Whether a shim or conmon of the runtime behind the CRI socket watches over it."""
        return any(monitor.serves_the_cri for monitor in self.monitors)


def stray_groups(node: NodeView) -> tuple[StrayGroup, ...]:
    """Return the groups that were there for longer than anything takes to start or end, by container id."""
    memberships = node.snapshot.memberships
    if isinstance(memberships, Unavailable):
        return ()
    grouped: dict[str, list[Membership]] = {}
    for one in memberships:
        if one.stray_seconds < SETTLING_SECONDS or one.container_id is None:
            continue
        if not _is_being_started(node, one):
            grouped.setdefault(one.container_id, []).append(one)
    return tuple(_group(node, container_id, members) for container_id, members in sorted(grouped.items()))


def _is_being_started(node: NodeView, membership: Membership) -> bool:
    process = node.processes.get(membership.identity.pid)
    made_by_runtime = process is not None and process.name.startswith(STARTER)
    return made_by_runtime and membership.stray_seconds < STARTING_SECONDS


def living_children(node: NodeView, monitor: Monitor) -> tuple[Process, ...]:
    """Return the processes whose parent a monitor is, without the dead."""
    pid = monitor.identity.pid
    return tuple(one for one in node.processes.values() if one.parent_pid == pid and not one.is_zombie)


def told(group: StrayGroup) -> tuple[Evidence, ...]:
    """Return where the processes are and which they are, the first few of them."""
    shown = ", ".join(f"{one.pid} {one.name}" for one in group.processes[:PROCESSES_SHOWN])
    more = len(group.processes) - PROCESSES_SHOWN
    return (
        Evidence(name="cgroup", value=group.cgroup_path),
        Evidence(name="processes", value=f"{shown} and more" if more > 0 else shown),
    )


def ctr(node: NodeView) -> str:
    """Return the beginning of a command of containerd's own client; empty if the runtime is another one."""
    runtime = node.snapshot.runtime
    if isinstance(runtime, Unavailable) or runtime.name != "containerd":
        return ""
    return f"ctr --address {shlex.quote(runtime.endpoint.removeprefix('unix://'))} --namespace {NAMESPACE_OF_THE_CRI}"


def show_processes(container_id: str) -> str:
    """Return the command that shows the processes in the cgroups of a container."""
    return f"{_pids(container_id)} | xargs -r ps -ww -o pid,ppid,lstart,comm,cgroup -p"


def kill_processes(container_id: str) -> str:
    """Return the command that ends them, as long as the runtime does not run that container.

    It names the container and no pid: that may be another process's by the time it is typed.
    """
    return unless_listed(container_id, f"{_pids(container_id)} | xargs -r kill", running=True)


def _pids(container_id: str) -> str:
    """Return the command that prints the pids in the cgroups of a container, of every hierarchy and version."""
    pattern = shlex.quote(f"*{container_id}*")
    return f"find /sys/fs/cgroup -path {pattern} -name cgroup.procs -exec cat {{}} + | sort -un"


def _group(node: NodeView, container_id: str, members: Sequence[Membership]) -> StrayGroup:
    monitors = {} if isinstance(node.snapshot.monitors, Unavailable) else _by_pid(node.snapshot.monitors)
    processes = [node.processes[one.identity.pid] for one in members if one.identity.pid in node.processes]
    return StrayGroup(
        container_id=container_id,
        container=node.containers.get(container_id),
        cgroup_path=members[0].cgroup_path,
        processes=tuple(sorted(processes, key=lambda one: (one.identity.start_ticks, one.pid))),
        monitors=tuple(monitors[pid] for pid in sorted({one.parent_pid for one in processes}) if pid in monitors),
    )


def _by_pid(monitors: Sequence[Monitor]) -> dict[int, Monitor]:
    return {monitor.identity.pid: monitor for monitor in monitors}
