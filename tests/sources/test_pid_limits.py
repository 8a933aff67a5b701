"""The bounds that zombies run into. On a real node: tests/integration/faults/test_pid_limit_near.py."""

from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.pid_limit import PidLimit
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.pid_limits import PidLimits
from pausewatch.sources.place import Place
from support.builders import a_snapshot
from support.changes import with_zombies
from support.parts import CONTAINERD_PID, WEB_APP_ID, WEB_APP_PID, WEB_SIDE_PID

POD = "/kubepods/pod1"
APP = f"{POD}/{WEB_APP_ID}"
MOUNT = "/sys/fs/cgroup"
V2 = f"41 31 0:38 / {MOUNT} rw - cgroup2 cgroup2 rw\n"


class Node:
    """A folder with /proc of one runtime, and the cgroups that its mount namespace shows."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.place = Place(proc=str(self.proc), listener_pid=CONTAINERD_PID, endpoint="/run/x.sock")
        self.write(f"{CONTAINERD_PID}/mountinfo", V2)
        self.write("self/mountinfo", V2)
        self.write(f"{WEB_APP_PID}/cgroup", f"0::{APP}\n")
        self.write("loadavg", "22.73 17.60 20.03 3/5217 25467\n")
        self.write("sys/kernel/pid_max", "32768\n")
        self.write("sys/kernel/threads-max", "192730\n")
        self.limit(APP, "max", 700)
        self.limit(POD, "1000", 710)
        self.write(f"{CONTAINERD_PID}/root{MOUNT}/kubepods/cgroup.procs", "")

    def write(self, name: str, text: str) -> None:
        """Write a file below /proc."""
        path = self.proc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def limit(self, cgroup: str, most: str, tasks: int) -> None:
        """Set bound and count of a cgroup."""
        self.write(f"{CONTAINERD_PID}/root{MOUNT}{cgroup}/pids.max", f"{most}\n")
        self.write(f"{CONTAINERD_PID}/root{MOUNT}{cgroup}/pids.current", f"{tasks}\n")


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Return a node on cgroup version 2."""
    return Node(tmp_path)


def sick(zombies: int = 10, parent_pid: int = WEB_APP_PID) -> Snapshot:
    """Return a node with zombies."""
    return with_zombies(a_snapshot(), zombies, parent_pid)


def read(node: Node, snapshot: Snapshot, source: PidLimits | None = None) -> tuple[PidLimit, ...]:
    """Read what is there to be read."""
    limits = (source or PidLimits()).read(snapshot, node.place)
    assert not isinstance(limits, Unavailable), limits
    return limits


def test_nothing_is_read_where_there_are_few_zombies(tmp_path: Path) -> None:
    """Not a single file: none of them exists."""
    nowhere = Place(proc=str(tmp_path), listener_pid=1, endpoint="/run/x.sock")

    assert PidLimits().read(sick(9), nowhere) == ()


def test_bounds_above_the_container_and_of_the_machine(node: Node) -> None:
    """A cgroup without a bound is left out, and so is one without the controller."""
    pod, machine = read(node, sick())

    assert pod == PidLimit(directory=f"{MOUNT}{POD}", owner_ids=(WEB_APP_ID,), tasks=710, most_tasks=1000)
    assert (machine.directory, machine.owner_ids, machine.most_tasks) == ("", (), 32_768)


def test_tasks_of_the_machine_are_those_that_the_kernel_counts(node: Node) -> None:
    """Threads count, and zombies too."""
    assert read(node, sick())[-1].tasks == 5217


def test_tasks_that_are_no_number(node: Node) -> None:
    """A kernel of another kind: the section is missing, and says which file."""
    node.write("loadavg", "0.00 0.01 0.05\n")
    limits = PidLimits().read(sick(), node.place)

    assert isinstance(limits, Unavailable)
    assert "loadavg" in limits.detail


def test_few_zombies_of_each_of_many_are_measured_by_the_machine_only(node: Node) -> None:
    """Nine here and nine there fill no container's bound."""
    (machine,) = read(node, with_zombies(sick(9), 9, WEB_SIDE_PID, first_pid=7000))

    assert machine.is_of_the_machine


def test_zombies_of_the_node_are_measured_by_the_machine_only(node: Node) -> None:
    """Nobody's cgroup is read for them."""
    (machine,) = read(node, sick(50, CONTAINERD_PID))

    assert machine.is_of_the_machine


def test_cgroups_that_the_container_made_below_its_own_are_not_looked_at(node: Node) -> None:
    """Their names and bounds are its own affair."""
    node.write(f"{WEB_APP_PID}/cgroup", f"0::{APP}/init.scope; reboot\n")
    node.limit(f"{APP}/init.scope; reboot", "12", 12)

    assert [limit.directory for limit in read(node, sick())] == [f"{MOUNT}{POD}", ""]


def test_stranger_with_the_number_of_the_first_process_is_not_asked(node: Node) -> None:
    """Its cgroup names another container."""
    node.write(f"{WEB_APP_PID}/cgroup", f"0::{POD}/somebody-else\n")

    assert [limit.directory for limit in read(node, sick())] == [""]


def test_container_that_ended_meanwhile(node: Node) -> None:
    """Its cgroup is gone, its pod's is not."""
    (node.proc / f"{CONTAINERD_PID}/root{MOUNT}{POD}/pids.current").unlink()

    assert [limit.directory for limit in read(node, sick())] == [""]


def test_version_1_beside_version_2(node: Node) -> None:
    """The controller is in the hierarchy of version 1."""
    mounted = f"39 31 0:36 / {MOUNT}/pids rw - cgroup cgroup rw,pids\n"
    node.write(f"{CONTAINERD_PID}/mountinfo", V2 + mounted)
    node.write(f"{WEB_APP_PID}/cgroup", f"8:pids:{APP}\n0::/elsewhere\n")
    node.limit(f"/pids{POD}", "500", 499)

    assert read(node, sick())[0].directory == f"{MOUNT}/pids{POD}"


def test_from_inside_a_cgroup_namespace(node: Node) -> None:
    """The agent's container on version 2: paths are relative to its own cgroup, which is found by its number."""
    own = node.proc / f"{CONTAINERD_PID}/root{MOUNT}/kubepods/podA/agent"
    own.mkdir(parents=True)
    (node.proc / "self/root/sys/fs").mkdir(parents=True)
    (node.proc / f"self/root{MOUNT}").symlink_to(own)
    node.write(f"{CONTAINERD_PID}/mountinfo", V2.replace(" / ", " /../../.. "))
    node.write(f"{WEB_APP_PID}/cgroup", f"0::/../../pod1/{WEB_APP_ID}\n")

    assert read(node, sick())[0].directory == f"{MOUNT}{POD}"


def test_own_cgroup_is_not_found(node: Node) -> None:
    """It says what is missing, and how to mend it."""
    node.write(f"{CONTAINERD_PID}/mountinfo", V2.replace(" / ", " /../../.. "))
    node.write("self/mountinfo", "")

    found = PidLimits().read(sick(), node.place)

    assert isinstance(found, Unavailable)
    assert (found.reason, bool(found.remedy)) == ("OwnCgroupUnknown", True)


def test_no_hierarchy_with_the_controller(node: Node) -> None:
    """A runtime without cgroups."""
    node.write(f"{CONTAINERD_PID}/mountinfo", "")

    found = PidLimits().read(sick(), node.place)

    assert isinstance(found, Unavailable)
    assert found.reason == "NoPidsController"


@pytest.mark.parametrize("text", ["", "many\n", "-1\n"])
def test_kernel_that_says_something_else(node: Node, text: str) -> None:
    """Unknown, not zero."""
    node.write("sys/kernel/pid_max", text)

    found = PidLimits().read(sick(), node.place)

    assert isinstance(found, Unavailable)
    assert found.reason == "ProcFormatUnknown"


def test_proc_without_kernel_settings(node: Node) -> None:
    """Mounted with subset=pid."""
    (node.proc / "sys/kernel/pid_max").unlink()

    found = PidLimits().read(sick(), node.place)

    assert isinstance(found, Unavailable)
    assert "pid_max" in found.detail


def test_processes_that_could_not_be_read(node: Node) -> None:
    """Without them nobody knows of zombies."""
    unread = Unavailable(reason="PermissionDenied", detail="/proc may not be read")

    assert PidLimits().read(replace(sick(), processes=unread), node.place) == unread


def test_place_of_a_container_is_remembered_and_its_numbers_are_not(node: Node) -> None:
    """Who starts a container never moves it."""
    source = PidLimits()
    read(node, sick(), source)
    (node.proc / f"{WEB_APP_PID}/cgroup").unlink()
    node.limit(POD, "1000", 900)

    assert read(node, sick(), source)[0].tasks == 900
    read(node, sick(0), source)
    assert [limit.directory for limit in read(node, sick(), source)] == [""]


def test_place_that_could_not_be_read_is_looked_for_again(node: Node) -> None:
    """A node without a free file, for one: of all times, when its limits are near."""
    source = PidLimits()
    node.write(f"{WEB_APP_PID}/cgroup", "")
    unread = read(node, sick(), source)
    node.write(f"{WEB_APP_PID}/cgroup", f"0::{APP}\n")

    assert [limit.directory for limit in unread] == [""]
    assert [limit.directory for limit in read(node, sick(), source)] == [f"{MOUNT}{POD}", ""]


def test_runtime_that_was_restarted_is_looked_at_anew(node: Node) -> None:
    """Another process, with another mount namespace."""
    source = PidLimits()
    read(node, sick(), source)
    (node.proc / str(CONTAINERD_PID)).rename(node.proc / "801")
    node.place = replace(node.place, listener_pid=801)

    assert read(node, sick(), source)[0].directory == f"{MOUNT}{POD}"
