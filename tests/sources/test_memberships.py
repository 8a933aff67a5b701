"""In which cgroup processes are. On a real node: tests/integration/faults/test_unmanaged_process.py."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.membership import Membership
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.memberships import Memberships
from pausewatch.sources.place import Place
from support.builders import a_snapshot, adding, present
from support.changes import with_container
from support.parts import (
    CONTAINERD_PID,
    KTHREADD_PID,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SIDE_ID,
    a_process,
    hex_id,
    identity,
)

POD = "/kubepods/besteffort/pod0f8fad5b-d9cb-469f-a165-70867728950e"
GONE_ID = hex_id("gone")
NEW_PID = int(UPTIME_SECONDS) - 3


class Node:
    """Holds the cgroup files of the processes of a snapshot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source = Memberships()
        for first in present(a_snapshot().first_processes):
            self.place(first.identity.pid, f"{POD}/{first.owner_id}")

    def place(self, pid: int, path: str) -> None:
        """Put a process into a cgroup."""
        file = self._folder / str(pid) / "cgroup"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"0::{path}\n")

    def end(self, pid: int) -> None:
        """Take away what /proc has of a process."""
        (self._folder / str(pid) / "cgroup").unlink()

    def read(self, snapshot: Snapshot | None = None, after_seconds: float = 0) -> dict[int, Membership]:
        """Scan the node, so many seconds after the healthy node was."""
        now = replace(snapshot or a_snapshot(), uptime_seconds=UPTIME_SECONDS + after_seconds)
        place = Place(proc=str(self._folder), listener_pid=CONTAINERD_PID, endpoint="/run/x.sock")
        return {one.identity.pid: one for one in present(self.source.read(now, place))}

    def stray_seconds(self, pid: int, snapshot: Snapshot, scans: tuple[float, ...] = (0, 30, 60)) -> list[float]:
        """Scan the node at these times, and return for how long the process was astray each time."""
        return [self.read(snapshot, after)[pid].stray_seconds for after in scans]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Return the healthy node."""
    return Node(tmp_path)


def test_container_of_a_process(node: Node) -> None:
    """As the path tells it; processes without a file, such as those that are gone, are left out."""
    node.place(1, "/init.scope")
    found = node.read()

    path = f"{POD}/{WEB_APP_ID}"
    assert found[WEB_APP_PID] == Membership(
        identity=identity(WEB_APP_PID), cgroup_path=path, container_id=WEB_APP_ID, pods_root="", stray_seconds=0
    )
    assert found[1] == Membership(identity=identity(1), cgroup_path="", container_id=None)
    assert CONTAINERD_PID not in found


def test_place_of_the_pods_of_a_kubelet(node: Node) -> None:
    """A node of kind, seen from the machine it runs on, has them elsewhere than the machine's own kubelet."""
    node.place(WEB_APP_PID, f"/docker/{GONE_ID}/kubelet{POD}/{WEB_APP_ID}")

    assert node.read()[WEB_APP_PID].pods_root == f"/docker/{GONE_ID}/kubelet"


def test_kernel_threads_and_zombies_are_left_out(node: Node) -> None:
    """No program of theirs runs."""
    node.place(KTHREADD_PID, "/")
    node.place(5000, "/")

    found = node.read(adding(a_snapshot(), processes=[a_process(5000, state="Z")]))

    assert KTHREADD_PID not in found
    assert 5000 not in found


def test_cgroup_is_read_once(node: Node) -> None:
    """Of a process that has settled, whatever state it is in at the next scan."""
    before = node.read()[WEB_APP_PID]
    node.end(WEB_APP_PID)
    changed = [replace(one, state="R") for one in present(a_snapshot().processes)]

    assert node.read(a_snapshot(processes=tuple(changed)))[WEB_APP_PID] is before


def test_new_process_is_read_again(node: Node) -> None:
    """runc moves a process shortly after it made it."""
    snapshot = adding(a_snapshot(), processes=[a_process(NEW_PID)])
    node.place(NEW_PID, "/system.slice/containerd.service")
    node.read(snapshot)
    node.place(NEW_PID, f"{POD}/{WEB_APP_ID}")

    assert node.read(snapshot, 1)[NEW_PID].container_id == WEB_APP_ID


def test_process_that_could_not_be_read_is_read_again(node: Node) -> None:
    """For want of a file descriptor, for example."""
    assert CONTAINERD_PID not in node.read()
    node.place(CONTAINERD_PID, "/system.slice/containerd.service")

    assert CONTAINERD_PID in node.read()


def test_new_owner_of_a_number_is_read(node: Node) -> None:
    """What is remembered belongs to an identity."""
    node.read()
    other = a_process(WEB_APP_PID, identity=replace(identity(WEB_APP_PID), start_ticks=7))
    node.place(WEB_APP_PID, f"{POD}/{WEB_SIDE_ID}")
    others = tuple(one for one in present(a_snapshot().processes) if one.pid != WEB_APP_PID)

    assert node.read(a_snapshot(processes=(*others, other)))[WEB_APP_PID].container_id == WEB_SIDE_ID


def test_processes_that_ended_are_forgotten(node: Node) -> None:
    """Memory is bounded by the processes of the node."""
    node.read()
    node.read(a_snapshot(processes=(a_process(WEB_APP_PID),)))

    assert set(node.source._known) == {WEB_APP_PID}


def test_cgroups_that_are_gone_are_forgotten(node: Node) -> None:
    """Memory is bounded by the processes of the node, however many pods have come and gone."""
    snapshot, pods, text_bytes = adding(a_snapshot(), processes=[a_process(NEW_PID)]), 200, 1500
    tracemalloc.start()
    try:
        for number in range(pods):
            node.place(NEW_PID, f"/{'x' * text_bytes}/{number}")
            node.read(snapshot)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept_bytes < pods * text_bytes / 4


EXITED = with_container(a_snapshot(), WEB_APP_ID, state=ContainerState.EXITED)


def test_process_of_an_exited_container_is_astray(node: Node) -> None:
    """From the second look on: the first one learns where pods are."""
    assert node.stray_seconds(WEB_APP_PID, EXITED) == [0, 0, 30]


@pytest.mark.parametrize("state", [ContainerState.CREATED, ContainerState.RUNNING, ContainerState.UNKNOWN])
def test_process_of_a_container_that_has_not_exited(node: Node, state: ContainerState) -> None:
    """The runtime knows of it."""
    assert node.stray_seconds(WEB_APP_PID, with_container(a_snapshot(), WEB_APP_ID, state=state)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("path", "last"),
    [
        (f"{POD}/{GONE_ID}", 30),
        (f"/docker/{hex_id('kind')}/kubelet{POD}/{GONE_ID}", 0),
        (f"/system.slice/docker-{GONE_ID}.scope", 0),
        (f"/k8s.io/{GONE_ID}", 0),
        (f"{POD}/{WEB_APP_ID}/docker/{GONE_ID}", 0),
    ],
    ids=["unlisted", "pod of kind", "docker", "ctr", "docker in a pod"],
)
def test_only_pods_of_our_kubelet_count(node: Node, path: str, last: float) -> None:
    """What others start on the machine is theirs."""
    node.place(4000, path)

    assert node.stray_seconds(4000, adding(a_snapshot(), processes=[a_process(4000)])) == [0, 0, last]


def test_process_that_is_listed_in_the_end(node: Node) -> None:
    """A sandbox that was being made."""
    node.stray_seconds(WEB_APP_PID, EXITED)

    assert node.read(after_seconds=90)[WEB_APP_PID].stray_seconds == 0
    assert node.read(EXITED, 120)[WEB_APP_PID].stray_seconds == 0


def test_process_that_moved_away(node: Node) -> None:
    """It is looked at anew each time it seems to be astray."""
    node.stray_seconds(WEB_APP_PID, EXITED)
    node.place(WEB_APP_PID, "/system.slice/app.service")

    assert node.read(EXITED, 90)[WEB_APP_PID] == Membership(
        identity=identity(WEB_APP_PID), cgroup_path="", container_id=None
    )


def test_process_that_ended_since_the_sweep(node: Node) -> None:
    """It is in no cgroup any more."""
    node.stray_seconds(WEB_APP_PID, EXITED)
    node.end(WEB_APP_PID)

    assert WEB_APP_PID not in node.read(EXITED, 90)


@pytest.mark.parametrize("section", ["processes", "sandboxes", "containers"])
def test_without_what_it_needs(node: Node, section: str) -> None:
    """The reason is the missing section's."""
    missing = Unavailable(reason="Missing", detail="it is missing")
    place = Place(proc="/nowhere", listener_pid=1, endpoint="/run/x.sock")

    assert node.source.read(replace(a_snapshot(), **{section: missing}), place) is missing  # type: ignore[arg-type]
