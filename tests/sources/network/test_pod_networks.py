from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.sandbox import NamespaceMode, SandboxState, SpecNamespace
from pausewatch.model.snapshot import PinnedNamespace, Snapshot
from pausewatch.sources.network.pod_networks import READ_PER_SCAN, PodNetworks
from pausewatch.sources.place import Place
from sources.procfs.fake_proc import FakeProc, stat_line
from support.builders import a_snapshot, present, with_pod
from support.changes import with_first_process, with_sandbox, without_process
from support.parts import (
    FIRST_INODE,
    HOST_LINKS,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    a_sandbox,
    hex_id,
    sandbox_details,
)

DEVICES = b"Idx\tDevice\n"
GROUP = b"\t\t\t\t010000E0     1 0:00000000\t\t0\n"


class Pods:
    """The networks of pods below a folder that looks like /proc."""

    def __init__(self, folder: Path) -> None:
        self.proc = FakeProc(folder)
        self.place = Place(proc=str(folder), listener_pid=1, endpoint="/run/x.sock")
        self.source = PodNetworks()

    def set(self, pid: int, *addresses: str, links: tuple[str, ...] = ("lo", "eth0")) -> None:
        """Give the network of a process addresses, and links that are up."""
        self.proc.add(pid, stat_line(pid, start_ticks=pid * 100))
        folder = self.proc.path / str(pid) / "net"
        folder.mkdir(exist_ok=True)
        leaves = "".join(f"  |-- {address}\n     /32 host LOCAL\n" for address in ("127.0.0.1", *addresses))
        (folder / "fib_trie").write_text(f"Main:\n{leaves}")
        up = b"".join(b"%d\t%s:  1  V3\n" % (number, name.encode()) + GROUP for number, name in enumerate(links, 1))
        (folder / "igmp").write_bytes(DEVICES + up)

    def lose(self, pid: int) -> None:
        """Take the network's files away, as when the process ends."""
        (self.proc.path / str(pid) / "net" / "fib_trie").unlink()

    def read(self, snapshot: Snapshot) -> dict[str, PodNetwork]:
        """Return what the source reads, by sandbox id."""
        found = self.source.read(snapshot, self.place)
        assert not isinstance(found, Unavailable), found
        return {one.sandbox_id: one for one in found}


@pytest.fixture
def pods(tmp_path: Path) -> Pods:
    """Give the two pods of the healthy node their networks."""
    made = Pods(tmp_path)
    made.set(WEB_PAUSE_PID, "10.200.0.3")
    made.set(SHARED_PAUSE_PID, "10.200.0.4")
    return made


def test_healthy_node(pods: Pods) -> None:
    """What the builders call healthy is what is read."""
    assert tuple(pods.read(a_snapshot()).values()) == present(a_snapshot().pod_networks)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": SandboxState.NOTREADY},
        {"network_mode": NamespaceMode.NODE},
        {"network_mode": None},
        {"runtime_type": "io.containerd.runsc.v1"},
        {"runtime_handler": "kata-qemu"},
        {"details": Unavailable(reason="StatusUnreadable", detail="")},
    ],
)
def test_sandboxes_that_say_nothing_are_left_out(pods: Pods, changes: dict[str, object]) -> None:
    """No network of its own, or none that the node can see."""
    assert set(pods.read(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, **changes))) == {SHARED_SANDBOX_ID}


@pytest.mark.parametrize(
    "changes",
    [
        {"network": HOST_LINKS.network},
        {"in_own_cgroup": False},
        {"links": Unavailable(reason=PERMISSION_DENIED, detail="")},
    ],
)
def test_processes_that_are_not_known_to_be_inside_are_left_out(pods: Pods, changes: dict[str, object]) -> None:
    """The addresses of the node, or of a stranger, are none of the pod's."""
    assert set(pods.read(with_first_process(a_snapshot(), WEB_SANDBOX_ID, **changes))) == {SHARED_SANDBOX_ID}


def without_pause(inode: int) -> Snapshot:
    """Return the healthy node where the network of web-x is held by a file with this inode number."""
    snapshot = without_process(a_snapshot(), WEB_PAUSE_PID)
    entry = SpecNamespace(kind=NamespaceKind.NETWORK, path="/var/run/netns/web")
    snapshot = with_sandbox(snapshot, WEB_SANDBOX_ID, pause_pid=0, spec_namespaces=(entry,))
    return replace(snapshot, pinned_namespaces=(PinnedNamespace(path="/var/run/netns/web", inode=inode),))


def test_without_a_pause_a_container_is_looked_through(pods: Pods) -> None:
    """CRI-O keeps none."""
    pods.set(WEB_APP_PID, "10.200.0.3")

    found = pods.read(without_pause(FIRST_INODE + WEB_PAUSE_PID))[WEB_SANDBOX_ID]

    assert (found.process.pid, found.process_owner_id) == (WEB_APP_PID, WEB_APP_ID)
    assert found.addresses == ("10.200.0.3",)


def test_container_elsewhere_is_not_looked_through(pods: Pods) -> None:
    """It has left the pod's network, so what it sees is not the pod's."""
    pods.set(WEB_APP_PID, "10.200.0.3")

    assert set(pods.read(without_pause(FIRST_INODE))) == {SHARED_SANDBOX_ID}


def test_fault_is_seen_and_healed_at_once_on_a_small_node(pods: Pods) -> None:
    """With so few pods all are read at every scan."""
    pods.read(a_snapshot())
    pods.set(WEB_PAUSE_PID, links=("eth0",))
    broken = pods.read(a_snapshot())[WEB_SANDBOX_ID]
    pods.set(WEB_PAUSE_PID, "10.200.0.3")

    assert (broken.addresses, broken.has_loopback) == ((), False)
    assert pods.read(a_snapshot())[WEB_SANDBOX_ID].addresses == ("10.200.0.3",)


def many(count: int) -> Snapshot:
    """Return the healthy node with ``count`` more pods, whose pauses are 5001, 5002, ..."""
    snapshot = a_snapshot(pods=Unavailable(reason="NoApiServer", detail=""))
    for number in range(1, count + 1):
        details = sandbox_details(addresses=(f"10.200.1.{number}",))
        sandbox = a_sandbox(id=hex_id(f"pod {number}"), uid=str(number), details=details)
        snapshot = with_pod(snapshot, sandbox, {}, pause_pid=5000 + number, shared_pid=False)
    return snapshot


def test_large_node_is_read_in_turns(pods: Pods) -> None:
    """A scan of healthy pods costs the same whatever their number; nobody is forgotten."""
    count = 3 * READ_PER_SCAN
    for number in range(1, count + 1):
        pods.set(5000 + number, f"10.200.1.{number}")
    snapshot = many(count)
    assert len(pods.read(snapshot)) == count + 2
    for number in range(1, count + 1):
        pods.set(5000 + number)

    broken = [sum(not one.addresses for one in pods.read(snapshot).values()) for _ in range(4)]

    assert all(0 < more - less <= READ_PER_SCAN for less, more in zip([0, *broken], broken, strict=False))
    assert broken[-1] == count


def test_what_looks_wrong_is_read_at_every_scan(pods: Pods) -> None:
    """A check must not rest on an old reading: neither for a fault nor for an address that two have."""
    count = 2 * READ_PER_SCAN
    for number in range(1, count + 1):
        pods.set(5000 + number, f"10.200.1.{number}")
    pods.set(WEB_PAUSE_PID, "10.200.0.3", "10.200.0.4")
    pods.set(5001)
    snapshot = many(count)
    broken = pods.read(snapshot)
    pods.set(WEB_PAUSE_PID, "10.200.0.3")
    pods.set(5001, "10.200.1.1")
    healed = pods.read(snapshot)

    assert [broken[one].addresses for one in (WEB_SANDBOX_ID, hex_id("pod 1"))] == [("10.200.0.3", "10.200.0.4"), ()]
    assert [healed[one].addresses for one in (WEB_SANDBOX_ID, hex_id("pod 1"))] == [("10.200.0.3",), ("10.200.1.1",)]


def test_new_process_is_read_anew(pods: Pods) -> None:
    """What was read through another process is forgotten."""
    pods.read(a_snapshot())
    pods.set(7000, "10.200.0.3")
    snapshot = a_snapshot()
    first = next(one for one in present(snapshot.first_processes) if one.owner_id == WEB_SANDBOX_ID)
    moved = with_first_process(
        snapshot, WEB_SANDBOX_ID, identity=replace(first.identity, pid=7000, start_ticks=700_000)
    )

    assert pods.read(moved)[WEB_SANDBOX_ID].process.pid == 7000


def test_number_that_belongs_to_another_process_by_now(pods: Pods) -> None:
    """What looks wrong may be a stranger's network."""
    pods.set(WEB_PAUSE_PID)
    pods.proc.add(WEB_PAUSE_PID, stat_line(WEB_PAUSE_PID, start_ticks=1))

    assert set(pods.read(a_snapshot())) == {SHARED_SANDBOX_ID}


def test_process_that_ends(pods: Pods) -> None:
    """Nothing can be said of its pod."""
    pods.lose(WEB_PAUSE_PID)

    assert set(pods.read(a_snapshot())) == {SHARED_SANDBOX_ID}


def test_nothing_may_be_read(pods: Pods) -> None:
    """Then the section is missing, with the reason; not empty."""
    for pid in (WEB_PAUSE_PID, SHARED_PAUSE_PID):
        pods.lose(pid)
        (pods.proc.path / str(pid) / "net" / "fib_trie").mkdir()

    found = pods.source.read(a_snapshot(), pods.place)

    assert isinstance(found, Unavailable)
    assert "fib_trie cannot be read" in found.detail


@pytest.mark.parametrize("section", ["sandboxes", "containers", "first_processes", "host_links"])
def test_missing_section(pods: Pods, section: str) -> None:
    """Without it nothing can be read; its reason is the reason."""
    missing = Unavailable(reason="ForTheTest", detail="")

    assert pods.source.read(a_snapshot(**{section: missing}), pods.place) == missing


def test_what_is_gone_is_forgotten(pods: Pods) -> None:
    """Memory is bounded by what is there."""
    pods.read(a_snapshot())
    pods.read(a_snapshot(sandboxes=()))

    assert pods.source._known == {}
