"""What pauses use. On a real node: tests/integration/faults/test_abnormal_pause.py."""

from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.pause_usage import PauseUsage
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.pause_usages import PauseUsages
from pausewatch.sources.place import Place
from support.builders import a_snapshot, present
from support.changes import with_first_process, with_sandbox
from support.parts import CONTAINERD_PID, SHARED_PAUSE_PID, UPTIME_SECONDS, WEB_PAUSE_PID, WEB_SANDBOX_ID, identity

PAGES = 137


def stat(pid: int, cpu_seconds: float = 0.02, pages: int = PAGES, start_ticks: int | None = None) -> bytes:
    """Return the content of a pause's stat file."""
    start = pid * 100 if start_ticks is None else start_ticks
    user, system = int(cpu_seconds * 100), 0
    return (
        f"{pid} (pause) S 1 1 1 0 -1 4194560 96 0 0 0 {user} {system} 0 0 20 0 1 0 {start} 1048576 {pages} 18446\n"
    ).encode()


class Node:
    """Holds what the sweep has read, and the links to the programs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source = PauseUsages()
        self.stats = {pid: stat(pid) for pid in (WEB_PAUSE_PID, SHARED_PAUSE_PID)}
        for pid in self.stats:
            self.program(pid, "/pause")

    def program(self, pid: int, path: str) -> None:
        """Let a process be that program."""
        link = self._folder / str(pid) / "exe"
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path)

    def unreadable(self, pid: int) -> None:
        """Let the program of a process be unreadable."""
        (self._folder / str(pid) / "exe").unlink()

    def read(self, snapshot: Snapshot | None = None, after_seconds: float = 0) -> dict[str, PauseUsage]:
        """Scan the node, so many seconds after the healthy node was; returns usages by sandbox."""
        now = replace(snapshot or a_snapshot(), uptime_seconds=UPTIME_SECONDS + after_seconds)
        place = Place(
            proc=str(self._folder), listener_pid=CONTAINERD_PID, endpoint="/run/x.sock", stat_of=self.stats.get
        )
        return {one.sandbox_id: one for one in present(self.source.read(now, place))}

    def percent(self, cpu_seconds: float, after_seconds: float) -> float:
        """Scan the node when the pause of web-x has used so much CPU time, and return how busy it is."""
        self.stats[WEB_PAUSE_PID] = stat(WEB_PAUSE_PID, cpu_seconds)
        return round(self.read(after_seconds=after_seconds)[WEB_SANDBOX_ID].cpu_percent, 3)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Return the healthy node."""
    return Node(tmp_path)


def test_usage_of_each_ready_pause(node: Node) -> None:
    """From the text that the sweep has read."""
    found = node.read()

    assert len(found) == 2
    usage = found[WEB_SANDBOX_ID]
    assert (usage.identity, usage.program) == (identity(WEB_PAUSE_PID), "pause")
    assert usage.resident_bytes % PAGES == 0
    assert usage.resident_bytes >= PAGES * 4096
    assert usage.cpu_seconds == 0.02


def test_sandbox_that_is_not_ready(node: Node) -> None:
    """Its pause is being ended."""
    assert WEB_SANDBOX_ID not in node.read(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, state=SandboxState.NOTREADY))


def test_stranger_with_the_number_of_a_pause(node: Node) -> None:
    """Its cgroup shows that it is none."""
    assert WEB_SANDBOX_ID not in node.read(with_first_process(a_snapshot(), WEB_SANDBOX_ID, in_own_cgroup=False))


def test_pause_that_the_sweep_did_not_see(node: Node) -> None:
    """It ended."""
    del node.stats[WEB_PAUSE_PID]

    assert WEB_SANDBOX_ID not in node.read()


def test_text_that_can_not_be_understood(node: Node) -> None:
    """Nothing is said about it."""
    node.stats[WEB_PAUSE_PID] = b"42 (pause) S 1\n"

    assert WEB_SANDBOX_ID not in node.read()


def test_first_look_tells_the_whole_life(node: Node) -> None:
    """A pause that was busy all the time is known at once."""
    half_of_its_life = (UPTIME_SECONDS - WEB_PAUSE_PID) / 2

    assert node.percent(half_of_its_life, 0) == 50


def test_pause_that_begins_to_work(node: Node) -> None:
    """However long it slept before."""
    node.read()
    node.read(after_seconds=3600)

    assert node.percent(15.02, 3630) == 50
    assert node.percent(45.02, 3660) == 100


def test_short_time_tells_nothing(node: Node) -> None:
    """One tick of the kernel's clock is a large part of a second; what was known before still holds."""
    before = node.percent(0.02, 0)

    assert node.percent(5.02, 9) == before
    assert node.percent(6.02, 12) == 50
    assert node.percent(6.02, 13) == 50


def test_pause_that_rests_again(node: Node) -> None:
    """Nothing is remembered of its work."""
    node.read()
    node.percent(30.02, 30)

    assert node.percent(30.02, 60) == 0


def test_pause_that_sleeps_is_not_parsed_again(node: Node) -> None:
    """Neither is its program looked up."""
    node.stats[WEB_PAUSE_PID] = stat(WEB_PAUSE_PID, cpu_seconds=0)
    before = node.read()[WEB_SANDBOX_ID]
    node.unreadable(WEB_PAUSE_PID)

    assert node.read(after_seconds=30)[WEB_SANDBOX_ID] is before


@pytest.mark.parametrize(
    ("path", "program"),
    [("/bin/busybox", "busybox"), ("/pause (deleted)", "pause"), ("/a\x1b[31m", "a\\x1b[31m")],
)
def test_program(node: Node, path: str, program: str) -> None:
    """The last component, escaped; an image that was removed leaves its program running."""
    node.program(WEB_PAUSE_PID, path)

    assert node.read()[WEB_SANDBOX_ID].program == program


def test_program_that_may_not_be_read(node: Node) -> None:
    """Without CAP_SYS_PTRACE."""
    node.unreadable(WEB_PAUSE_PID)

    assert node.read()[WEB_SANDBOX_ID].program == ""


def test_new_pause_of_a_sandbox(node: Node) -> None:
    """What is remembered belongs to an identity."""
    node.percent(30.02, 0)
    other = replace(identity(WEB_PAUSE_PID), start_ticks=7)
    node.stats[WEB_PAUSE_PID] = stat(WEB_PAUSE_PID, start_ticks=7, cpu_seconds=0)

    usage = node.read(with_first_process(a_snapshot(), WEB_SANDBOX_ID, identity=other), 30)[WEB_SANDBOX_ID]

    assert (usage.identity, usage.cpu_percent) == (other, 0)


@pytest.mark.parametrize("section", ["sandboxes", "first_processes"])
def test_without_what_it_needs(node: Node, section: str) -> None:
    """The reason is the missing section's."""
    missing = Unavailable(reason="Missing", detail="it is missing")
    place = Place(proc="/nowhere", listener_pid=1, endpoint="/run/x.sock")

    assert node.source.read(replace(a_snapshot(), **{section: missing}), place) is missing  # type: ignore[arg-type]
