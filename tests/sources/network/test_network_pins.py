from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.network_pin import NetworkPin
from pausewatch.model.sandbox import NamespaceMode, SpecNamespace
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.network.network_pins import MOST_PINS, NetworkPins
from pausewatch.sources.place import Place
from sources.procfs.fake_proc import FakeProc
from support.builders import a_snapshot
from support.changes import with_sandbox
from support.parts import CONTAINERD_PID, WEB_SANDBOX_ID, a_process, a_runtime, links, sandbox_details

WEB = "cni-11111111-2222-3333-4444-555555555555"
LOST = "cni-0f8fad5b-d9cb-469f-a165-70867728950e"
UUID = LOST.removeprefix("cni-")
OTHERS = ("blue", "netns-0f8fad5b-d9cb-469f-a165-70867728950e", "cilium-health", UUID)


class Node:
    """A fake /proc with a runtime whose /run/netns holds ordinary files, on the same device as its ``ns/net``."""

    def __init__(self, folder: Path) -> None:
        self.proc = FakeProc(folder)
        self.proc.add(CONTAINERD_PID, links={"net": 101, "mnt": 7})
        (folder / "self/ns").mkdir(parents=True)
        (folder / "self/ns/net").touch()
        self.root = folder / str(CONTAINERD_PID) / "root"
        self.pins = self.root / "run/netns"
        self.pins.mkdir(parents=True)
        (self.root / "var").mkdir()
        (self.root / "var/run").symlink_to("/run")
        self.place = Place(proc=str(folder), listener_pid=CONTAINERD_PID, endpoint="/run/x.sock")
        self.source = NetworkPins()
        (self.pins / WEB).touch()

    def pin(self, name: str, directory: str = "run/netns") -> int:
        """Pin a namespace, and return its inode number."""
        (self.root / directory).mkdir(parents=True, exist_ok=True)
        file = self.root / directory / name
        file.touch()
        return file.stat().st_ino

    def look(self, *, age_seconds: float = 60, later_seconds: float = 0, **changes: object) -> Snapshot:
        """Return what was read before the pins, so long after the newest of them was made."""
        newest = max(file.stat().st_mtime for file in (*self.pins.iterdir(), self.pins))
        whole = owning(a_snapshot(processes=(a_process(CONTAINERD_PID, name="containerd"),)), f"/var/run/netns/{WEB}")
        taken_at = whole.taken_at.fromtimestamp(newest + age_seconds, whole.taken_at.tzinfo)
        later = whole.uptime_seconds + later_seconds
        return replace(whole, taken_at=taken_at, uptime_seconds=later, **changes)

    def read(self, snapshot: Snapshot | None = None) -> tuple[NetworkPin, ...]:
        """Read the pins without owner."""
        found = self.source.read(snapshot or self.look(), self.place)
        assert not isinstance(found, Unavailable), found
        return found

    def users(self, snapshot: Snapshot | None = None) -> Mapping[str, int | None]:
        """Return how many processes are inside, by name."""
        return {one.name: one.processes_inside for one in self.read(snapshot)}


def owning(snapshot: Snapshot, path: str) -> Snapshot:
    """Let the sandbox of web-x, and no other, own a pin."""
    entries = (SpecNamespace(kind=NamespaceKind.NETWORK, path=path),)
    changed = with_sandbox(snapshot, WEB_SANDBOX_ID, spec_namespaces=entries)
    assert not isinstance(changed.sandboxes, Unavailable)
    return replace(changed, sandboxes=tuple(one for one in changed.sandboxes if one.id == WEB_SANDBOX_ID))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Give a node with the pin of web-x."""
    return Node(tmp_path)


def test_pins_of_sandboxes_and_of_other_tools_are_none(node: Node) -> None:
    """The sandbox's file is told as /var/run/..., which is /run."""
    for name in OTHERS:
        node.pin(name)

    assert node.read() == ()


def test_pin_that_no_sandbox_owns(node: Node) -> None:
    """With its path as the runtime sees it, its number, and nobody inside."""
    inode = node.pin(LOST)

    (found,) = node.read()

    assert (found.path, found.inode, found.processes_inside, found.holders) == (f"/run/netns/{LOST}", inode, 0, ())
    assert found.made_at_seconds == pytest.approx((node.pins / LOST).stat().st_mtime)


def test_more_than_anybody_mends_at_once(node: Node) -> None:
    """A bound on our memory; the same ones are told in each scan."""
    names = [f"{LOST[:-12]}{number:012x}" for number in range(MOST_PINS + 2)]
    for name in reversed(names):
        node.pin(name)

    assert [pin.name for pin in node.read()] == names[:MOST_PINS]


def test_names_of_cri_o(node: Node) -> None:
    """They are bare UUIDs; those of containerd mean nothing there."""
    node.pin(LOST)
    node.pin(UUID)

    assert [one.name for one in node.read(node.look(runtime=a_runtime(name="cri-o")))] == [UUID]


def test_directory_of_the_runtime_s_own(node: Node) -> None:
    """containerd can be told to keep its pins with its state; the sandboxes show where that is."""
    node.pin(LOST, "run/containerd/netns")
    elsewhere = owning(node.look(), f"/run/containerd/netns/{WEB}")

    assert [one.path for one in node.read(elsewhere)] == [f"/run/containerd/netns/{LOST}"]


def test_empty_file_is_no_pin(node: Node, tmp_path: Path) -> None:
    """What remains of an unmounted pin is on an ordinary file system and holds nothing."""
    node.pin(LOST)
    (tmp_path / "self/ns/net").unlink()
    (tmp_path / "self/ns/net").symlink_to("/proc/self/ns/net")

    assert node.read() == ()


def test_the_node_s_own_namespace_is_no_leak(node: Node) -> None:
    """CRI-O pins it for pods in the node's network."""
    inode = node.pin(LOST)

    assert node.read(node.look(host_links=links(network=inode))) == ()


def test_node_that_never_pinned_anything(node: Node) -> None:
    """Its directory does not exist."""
    (node.pins / WEB).unlink()
    node.pins.rmdir()
    node.pins.parent.touch()

    assert node.source.read(a_snapshot(sandboxes=()), node.place) == ()


def test_users_of_a_young_pin_are_not_counted(node: Node) -> None:
    """A pod that is being made has a pin without an owner for a moment."""
    node.pin(LOST)

    assert node.users(node.look(age_seconds=9)) == {LOST: None}
    assert node.users(node.look(age_seconds=10.1)) == {LOST: 0}


def test_processes_inside_are_counted(node: Node) -> None:
    """A second runtime that names its pins alike has its containers in them."""
    inode = node.pin(LOST)
    node.proc.add(77, links={"net": inode, "mnt": 7})

    assert node.users(node.look(processes=(a_process(77), a_process(78)))) == {LOST: 1}


def test_a_count_stands_for_two_minutes(node: Node) -> None:
    """A leak stays for weeks; a new one is counted at once."""
    inode = node.pin(LOST)
    node.proc.add(77, links={"net": inode, "mnt": 7})
    inside = (a_process(77),)
    assert node.users() == {LOST: 0}
    assert node.users(node.look(later_seconds=120, processes=inside)) == {LOST: 0}
    assert node.users(node.look(later_seconds=121, processes=inside)) == {LOST: 1}

    other = "cni-ffffffff-0000-0000-0000-000000000000"
    node.pin(other)
    assert node.users(node.look(later_seconds=122)) == {LOST: 0, other: 0}


def test_without_the_list_of_processes_nobody_is_counted(node: Node) -> None:
    """Nobody can tell who is inside."""
    node.pin(LOST)

    assert node.users(node.look(processes=Unavailable(reason="ProcessesHidden", detail="hidden"))) == {LOST: None}


def test_sandbox_that_tells_nothing_may_own_it(node: Node) -> None:
    """Its pin would be called leaked, and somebody would take away a pod's network."""
    node.pin(LOST)
    mute = with_sandbox(node.look(), WEB_SANDBOX_ID, spec_namespaces=None)

    found = node.source.read(mute, node.place)

    assert isinstance(found, Unavailable)
    assert found.reason == "SandboxesUnreadable"
    assert "team-a/web-x" in found.detail
    assert not isinstance(
        node.source.read(replace(mute, taken_at=node.look(age_seconds=5).taken_at), node.place), Unavailable
    )


def test_what_a_sandbox_told_once_is_remembered(node: Node) -> None:
    """Its status may fail later, or come without a specification."""
    node.pin(LOST)
    node.read()
    damaged = Unavailable(reason="StatusUnreadable", detail="damaged")

    assert node.users(with_sandbox(node.look(), WEB_SANDBOX_ID, details=damaged)) == {LOST: 0}
    assert set(node.users(node.look(sandboxes=()))) == {LOST, WEB}


def test_sandbox_in_the_node_s_network_owns_none(node: Node) -> None:
    """Also where it tells no specification at all."""
    node.pin(LOST)
    on_the_node = sandbox_details(network_mode=NamespaceMode.NODE, spec_namespaces=None)

    assert set(node.users(with_sandbox(node.look(), WEB_SANDBOX_ID, details=on_the_node))) == {LOST, WEB}


@pytest.mark.parametrize("section", ["sandboxes", "host_links"])
def test_without_what_it_compares_with(node: Node, section: str) -> None:
    """Everything would look lost."""
    missing = Unavailable(reason="Missing", detail="missing")

    assert node.source.read(a_snapshot(**{section: missing}), node.place) is missing


def test_directory_that_may_not_be_read(node: Node, tmp_path: Path) -> None:
    """Without /proc/<runtime>/root nothing is known."""
    (tmp_path / "self/ns/net").unlink()

    assert isinstance(node.source.read(node.look(), node.place), Unavailable)
