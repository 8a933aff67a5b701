"""Processes in cgroups of containers that the runtime does not run."""

from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.next_commands import unless_listed
from pausewatch.model.report import Evidence
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.strays import ctr, kill_processes, living_children, show_processes, stray_groups, told
from support.builders import a_node, a_snapshot, adding
from support.parts import WEB_SHIM_PID, a_membership, a_monitor, a_process, a_runtime, hex_id

GONE_ID = hex_id("gone")
MISSING = Unavailable(reason="Missing", detail="it is missing")


def with_strays(*pids: int, seconds: float = 10, parent_pid: int = 1) -> Snapshot:
    """Add processes in the cgroup of a container that is not listed."""
    return adding(
        a_snapshot(),
        processes=[a_process(pid, parent_pid=parent_pid) for pid in pids],
        memberships=[a_membership(pid, GONE_ID, stray_seconds=seconds) for pid in pids],
    )


def test_healthy_node_has_none() -> None:
    """Every process is where it should be."""
    assert stray_groups(a_node()) == ()


@pytest.mark.parametrize(("seconds", "groups"), [(0, 0), (9.9, 0), (10, 1)])
def test_what_is_being_started_or_ended_is_no_stray(seconds: float, groups: int) -> None:
    """Nothing takes as long as ten seconds."""
    assert len(stray_groups(a_node(with_strays(4000, seconds=seconds)))) == groups


@pytest.mark.parametrize(("seconds", "groups"), [(59, 0), (60, 1)])
def test_what_the_runtime_made_and_did_not_start_takes_longer(seconds: float, groups: int) -> None:
    """A pod that is deleted while its container is being started leaves runc's own process for a while."""
    starting = a_process(4000, name="runc:[2:INIT]")
    snapshot = adding(
        a_snapshot(), processes=[starting], memberships=[a_membership(4000, GONE_ID, stray_seconds=seconds)]
    )

    assert len(stray_groups(a_node(snapshot))) == groups


def test_group_of_a_container() -> None:
    """The earliest process first, whatever its number."""
    late = a_process(3000, identity=replace(a_process(3000).identity, start_ticks=900_000))
    snapshot = adding(
        with_strays(4000, 5000), processes=[late], memberships=[a_membership(3000, GONE_ID, stray_seconds=20)]
    )

    (group,) = stray_groups(a_node(snapshot))

    assert (group.container_id, group.container, group.monitors) == (GONE_ID, None, ())
    assert [one.pid for one in group.processes] == [4000, 5000, 3000]
    assert group.count == "3 processes"


@pytest.mark.parametrize(("is_ours", "managed"), [(True, True), (False, False)])
def test_monitor_of_a_group(*, is_ours: bool, managed: bool) -> None:
    """The parent of one of its processes."""
    shim = a_monitor(3900, GONE_ID, is_ours=is_ours)
    snapshot = adding(with_strays(4000, parent_pid=3900), monitors=[shim])

    (group,) = stray_groups(a_node(snapshot))

    assert group.monitors == (shim,)
    assert group.is_managed_by_our_monitor is managed


def test_without_what_it_needs() -> None:
    """Nothing is said about processes whose cgroup is unknown."""
    assert stray_groups(a_node(a_snapshot(memberships=MISSING))) == ()
    (group,) = stray_groups(a_node(replace(with_strays(4000), monitors=MISSING)))
    assert group.monitors == ()


def test_evidence_names_the_first_few() -> None:
    """A fork bomb must not fill the report."""
    (few,) = stray_groups(a_node(with_strays(4000)))
    (many,) = stray_groups(a_node(with_strays(*range(4000, 4020))))

    assert told(few) == (Evidence(name="cgroup", value=few.cgroup_path), Evidence(name="processes", value="4000 app"))
    assert told(many)[1].value == "4000 app, 4001 app, 4002 app and more"
    assert (few.count, many.count) == ("1 process", "20+ processes")


def test_living_children() -> None:
    """A zombie does not live."""
    dead = adding(a_snapshot(), processes=[a_process(4000, parent_pid=WEB_SHIM_PID, state="Z")])
    shim = a_monitor(WEB_SHIM_PID, GONE_ID)

    assert [one.name for one in living_children(a_node(dead), shim)] == ["pause", "app", "side"]


def test_command_of_containerd() -> None:
    """With the socket of the runtime that is asked; another runtime has no such client."""
    odd = a_snapshot(runtime=a_runtime(endpoint="unix:///run/my containerd.sock"))

    assert ctr(a_node()) == "ctr --address /run/containerd/containerd.sock --namespace k8s.io"
    assert ctr(a_node(odd)) == "ctr --address '/run/my containerd.sock' --namespace k8s.io"
    assert ctr(a_node(a_snapshot(runtime=a_runtime(name="cri-o")))) == ""
    assert ctr(a_node(a_snapshot(runtime=MISSING))) == ""


def test_commands_name_the_container_and_no_pid() -> None:
    """A number may belong to another process by the time it is typed."""
    pids = f"find /sys/fs/cgroup -path '*{GONE_ID}*' -name cgroup.procs -exec cat {{}} + | sort -un"

    assert show_processes(GONE_ID) == f"{pids} | xargs -r ps -ww -o pid,ppid,lstart,comm,cgroup -p"
    assert kill_processes(GONE_ID) == unless_listed(GONE_ID, f"{pids} | xargs -r kill", running=True)
