"""Who watches over containers. On a real node: tests/integration/faults/test_orphaned_shim.py."""

from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.membership import Monitor, MonitorKind
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.monitors import CommandLine, Monitors, parse
from pausewatch.sources.place import Place
from support.builders import a_snapshot, adding, present
from support.parts import (
    CONTAINERD_PID,
    SHARED_SHIM_PID,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_SANDBOX_ID,
    WEB_SHIM_PID,
    a_monitor,
    a_process,
    hex_id,
)

SOCKET = "/run/containerd/containerd.sock"
GONE_ID = hex_id("gone")
NEW_PID = int(UPTIME_SECONDS) - 3

#: As containerd 2.4 and 1.6 start it.
SHIM = f"/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id {WEB_SANDBOX_ID} -address {SOCKET}"

#: As CRI-O starts it: internal/oci/runtime_oci.go.
CONMON = (
    f"/usr/bin/conmon -b /run/containers/userdata -c {WEB_APP_ID} --exit-dir /var/run/crio/exits -l /var/log/0.log"
    f" --log-level info -n k8s_app -P /run/conmon.pid -p /run/pidfile --persist-dir /var/lib/x -r /usr/bin/runc"
    f" --runtime-arg --root=/run/runc --socket-dir-path /var/run/crio --syslog -u {WEB_APP_ID} -s"
)


def raw(command_line: str) -> bytes:
    """Return what /proc shows for a command line."""
    return b"".join(argument.encode() + b"\0" for argument in command_line.split())


class Node:
    """Holds mount namespaces and command lines of processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source = Monitors()
        self.endpoint = SOCKET
        self.run(CONTAINERD_PID, "/usr/bin/containerd")
        self.run(WEB_SHIM_PID, SHIM)

    def run(self, pid: int, command_line: str, mount_namespace: int = 4_026_531_841) -> None:
        """Let a process have a command line and a mount namespace."""
        folder = self._folder / str(pid)
        (folder / "ns").mkdir(parents=True, exist_ok=True)
        (folder / "ns" / "mnt").unlink(missing_ok=True)
        (folder / "ns" / "mnt").symlink_to(f"mnt:[{mount_namespace}]")
        (folder / "cmdline").write_bytes(raw(command_line))

    def end(self, pid: int) -> None:
        """Take away what /proc has of a process."""
        (self._folder / str(pid) / "cmdline").unlink()

    def socket_at(self, path: str) -> Path:
        """Put a file where the runtime sees its socket."""
        file = self._folder / str(CONTAINERD_PID) / "root" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        return file

    def read(self, snapshot: Snapshot | None = None, after_seconds: float = 0) -> tuple[Monitor, ...]:
        """Scan the node, so many seconds after the healthy node was."""
        now = replace(snapshot or a_snapshot(), uptime_seconds=UPTIME_SECONDS + after_seconds)
        place = Place(proc=str(self._folder), listener_pid=CONTAINERD_PID, endpoint=self.endpoint)
        return present(self.source.read(now, place))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Return a node with one shim."""
    return Node(tmp_path)


def with_process(name: str, pid: int = 4000) -> Snapshot:
    """Add a process to the healthy node."""
    return adding(a_snapshot(), processes=[a_process(pid, name=name)])


@pytest.mark.parametrize(
    ("command_line", "expected"),
    [
        (SHIM, (MonitorKind.SHIM, "k8s.io", WEB_SANDBOX_ID, SOCKET)),
        (f"{SHIM} -debug", (MonitorKind.SHIM, "k8s.io", WEB_SANDBOX_ID, SOCKET)),
        (
            f"containerd-shim-runsc-v1 --namespace=moby --id=x --address=unix://{SOCKET}",
            (MonitorKind.SHIM, "moby", "x", SOCKET),
        ),
        (CONMON, (MonitorKind.CONMON, "", WEB_APP_ID, "/var/run/crio")),
    ],
    ids=["shim", "debug", "other spelling", "conmon"],
)
def test_command_line(command_line: str, expected: tuple[MonitorKind, str, str, str]) -> None:
    """For whom, and for which runtime."""
    kind, namespace, owner, path = expected

    assert parse(raw(command_line)) == CommandLine(
        kind=kind, runtime_namespace=namespace, owner_id=owner, runtime_path=path
    )


@pytest.mark.parametrize(
    "command_line",
    [
        f"{SHIM} -publish-binary /usr/bin/containerd start",
        f"{SHIM} -bundle /run/x delete",
        "/usr/bin/containerd-shim-runc-v2 -v",
        f"/usr/bin/conmon -c {WEB_APP_ID} -e --socket-dir-path /var/run/crio --exec-process-spec /tmp/x",
        "/usr/bin/conmonrs --runtime runc",
        "sleep 7",
        "",
    ],
)
def test_command_line_of_no_monitor(command_line: str) -> None:
    """Calls that end in moments, sessions of an exec, other programs."""
    assert parse(raw(command_line)) is None


def test_shim_of_ours(node: Node) -> None:
    """One whose process could not be read is left out: the other shim of the healthy node has no files here."""
    assert node.read() == (a_monitor(WEB_SHIM_PID, WEB_SANDBOX_ID),)


def test_command_line_is_read_once(node: Node) -> None:
    """It does not change."""
    (before,) = node.read()
    node.end(WEB_SHIM_PID)

    assert node.read()[0] is before


def test_runtime_that_is_being_restarted(node: Node, tmp_path: Path) -> None:
    """Without its mount namespace no monitor is told from a stranger; the next scan does."""
    (tmp_path / str(CONTAINERD_PID) / "ns/mnt").unlink()

    assert node.read() == ()
    node.run(CONTAINERD_PID, "/usr/bin/containerd")
    assert node.read() == (a_monitor(WEB_SHIM_PID, WEB_SANDBOX_ID),)


def test_monitors_that_ended_are_forgotten(node: Node) -> None:
    """Memory is bounded by the processes of the node."""
    node.read()
    node.read(a_snapshot(processes=()))

    assert not node.source._known


def test_program_that_only_calls_itself_a_shim(node: Node) -> None:
    """In a pod's mount namespace: its command line is not even read."""
    node.run(4000, SHIM, mount_namespace=4_026_532_999)

    assert len(node.read(with_process("containerd-shim"))) == 1


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        (SOCKET, True),
        ("/var/run/containerd/containerd.sock", True),
        ("/run/k3s/containerd/containerd.sock", False),
        ("/var/run/docker/containerd/containerd.sock", False),
    ],
)
def test_whose_shim_it_is(node: Node, address: str, ours: bool) -> None:  # noqa: FBT001  a column of the table
    """Two runtimes on a machine use the same programs."""
    node.run(WEB_SHIM_PID, SHIM.replace(SOCKET, address))

    (monitor,) = node.read()

    assert monitor.is_ours is ours
    assert monitor.serves_the_cri is ours


def test_socket_that_is_mounted_elsewhere(node: Node) -> None:
    """Inside a pod we connect by another path to the same socket."""
    node.endpoint = str(node.socket_at(SOCKET))

    (monitor,) = node.read()

    assert monitor.is_ours


def test_shim_of_another_namespace_of_containerd(node: Node) -> None:
    """Docker's containers are not the CRI's."""
    node.run(WEB_SHIM_PID, SHIM.replace("k8s.io", "moby"))

    (monitor,) = node.read()

    assert monitor.is_ours
    assert not monitor.serves_the_cri


@pytest.mark.parametrize(("directory", "ours"), [("/var/run/crio", True), ("/run/libpod/socket", False)])
def test_conmon(node: Node, directory: str, ours: bool) -> None:  # noqa: FBT001  a column of the table
    """CRI-O's by the directory of its sockets; podman's has another."""
    node.endpoint = "/run/crio/crio.sock"
    node.run(4000, CONMON.replace("/var/run/crio --syslog", f"{directory} --syslog"))

    monitor = next(one for one in node.read(with_process("conmon")) if one.kind is MonitorKind.CONMON)

    assert (monitor.owner_id, monitor.serves_the_cri) == (WEB_APP_ID, ours)


def test_new_process_is_read_again(node: Node) -> None:
    """Until it becomes a program it shows its parent's command line."""
    node.run(NEW_PID, f"{SHIM} start")
    assert len(node.read(with_process("containerd-shim", NEW_PID))) == 1
    node.run(NEW_PID, SHIM)

    assert len(node.read(with_process("containerd-shim", NEW_PID), 1)) == 2


def test_owner_that_is_not_listed(node: Node) -> None:
    """The time counts from the first scan that missed it, and ends with one that finds it."""
    missing = a_snapshot(sandboxes=())

    assert [node.read(missing, after)[0].unlisted_seconds for after in (0, 30, 60)] == [0, 30, 60]
    assert node.read(after_seconds=90)[0].unlisted_seconds == 0
    assert node.read(missing, 120)[0].unlisted_seconds == 0


def test_owner_may_be_a_container(node: Node) -> None:
    """gVisor has a shim for each."""
    node.run(SHARED_SHIM_PID, SHIM.replace(WEB_SANDBOX_ID, WEB_APP_ID))

    node.read()

    assert [one.unlisted_seconds for one in node.read(after_seconds=30)] == [0, 0]


@pytest.mark.parametrize("section", ["processes", "sandboxes", "containers"])
def test_without_what_it_needs(node: Node, section: str) -> None:
    """The reason is the missing section's."""
    missing = Unavailable(reason="Missing", detail="it is missing")
    place = Place(proc="/nowhere", listener_pid=1, endpoint="/run/x.sock")

    assert node.source.read(replace(a_snapshot(), **{section: missing}), place) is missing  # type: ignore[arg-type]
