import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.sources.procfs.source import ProcSource
from sources.procfs.fake_proc import INODES, FakeProc, stat_line
from sources.procfs.living import as_nobody, running, zombie

OWNER = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"


def open_files() -> int:
    """Return how many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def node() -> Iterator[ProcSource]:
    """Give a source for the real /proc."""
    with closing(ProcSource()) as source:
        yield source


def test_one_reading_holds_everything(proc: FakeProc) -> None:
    """Processes, the wanted first ones, and the places of zombies."""
    proc.add(42, cgroup=f"0::/kubepods/{OWNER}\n")
    proc.add(43, stat_line(43, state="Z", parent=42))
    with closing(ProcSource(proc.root)) as source:
        reading = source.read([(OWNER, 42)])

    assert not isinstance(reading.processes, Unavailable)
    assert not isinstance(reading.first_processes, Unavailable)
    assert [process.pid for process in reading.processes] == [1, 42, 43]
    assert [first.owner_id for first in reading.first_processes] == [OWNER]
    assert [placement.container_id for placement in reading.placements] == [OWNER, None]


def test_text_of_a_process(proc: FakeProc) -> None:
    """As the last scan read it, so that nobody has to read it again."""
    with closing(ProcSource(proc.root)) as source:
        assert source.stat_of(1) is None
        source.read([])

        assert source.stat_of(1) == stat_line(1, name=b"init", parent=0)
        assert source.stat_of(42) is None


def test_second_reading_of_a_quiet_node_gives_the_same_objects(proc: FakeProc) -> None:
    """Nothing is parsed or built twice."""
    proc.add(42)
    proc.add(43, stat_line(43, state="Z", parent=42))
    with closing(ProcSource(proc.root)) as source:
        first, second = source.read([(OWNER, 42)]), source.read([(OWNER, 42)])

    for section in ("processes", "first_processes", "placements"):
        before, after = getattr(first, section), getattr(second, section)
        assert [id(one) for one in before] == [id(one) for one in after]
        assert before


def test_unreadable_proc_takes_all_sections(tmp_path: Path) -> None:
    """First processes without a process list would all look gone."""
    with closing(ProcSource(str(tmp_path))) as source:
        reading = source.read([(OWNER, 42)])

    assert isinstance(reading.processes, Unavailable)
    assert reading.first_processes == reading.processes
    assert reading.placements == ()


def test_scan_that_failed_leaves_nothing_to_rely_on(proc: FakeProc) -> None:
    """The sweep has noticed who ran, and will not notice it again; so all links are read in the next scan."""
    proc.add(42, cgroup=f"0::/kubepods/{OWNER}\n", schedstat="100 20 3\n")
    with closing(ProcSource(proc.root)) as source:
        for _ in range(4):
            source.read([(OWNER, 42)])
        proc.add(42, schedstat="101 20 4\n", links={**INODES, "net": 999})
        proc.add(43, b"nonsense")
        failed = source.read([(OWNER, 42)]).processes
        proc.add(43)
        firsts = source.read([(OWNER, 42)]).first_processes

    assert isinstance(failed, Unavailable)
    assert not isinstance(firsts, Unavailable)
    assert isinstance(firsts[0].links, NamespaceLinks)
    assert firsts[0].links.network == 999


def test_links_of_one_process(node: ProcSource, proc: FakeProc) -> None:
    """Of the process behind the CRI socket, which may be gone, dead or denied."""
    with zombie() as pid:
        dead = node.links_of(pid)
    own = os.getpid()
    denied = as_nobody(lambda: ProcSource().links_of(own))
    proc.add(42, b"?")
    unknown = ProcSource(proc.root).links_of(42)
    gone = ProcSource(proc.root).links_of(43)

    assert isinstance(node.links_of(own), NamespaceLinks)
    reasons = [found.reason for found in (dead, denied, unknown, gone) if isinstance(found, Unavailable)]
    assert reasons == ["ProcessExited", "PermissionDenied", "ProcFormatUnknown", "ProcessGone"]


def test_pid_namespace_of_the_runtime(node: ProcSource, proc: FakeProc) -> None:
    """Ours or one below; a process that we cannot see may count in any."""
    with running("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", "echo ready; exec cat") as program:
        child = int(Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text(encoding="ascii"))
        assert node.same_pid_namespace(child) is False
        assert node.same_pid_namespace(program.pid) is True
    gone = ProcSource(proc.root).same_pid_namespace(42)

    assert isinstance(gone, Unavailable)
    assert gone.reason == "ProcessGone"


def test_what_changed_is_asked_of_the_kernel_now(proc: FakeProc) -> None:
    """Not of what the last reading remembers."""
    proc.add(42)
    with closing(ProcSource(proc.root)) as source:
        reading = source.read([(OWNER, 42)])
        assert not isinstance(reading.first_processes, Unavailable)
        proc.unlink("42/stat")

        assert source.what_changed(reading.first_processes[0]) == "has exited"


def test_pins_that_cannot_be_read_are_left_out_and_explained(node: ProcSource) -> None:
    """Only while they are wanted and missing."""
    assert node.pinned(os.getpid(), ["/proc/nowhere"]) == ()
    assert [fact.name for fact in node.access() if not fact.granted] == ["pinned-namespace"]

    node.pinned(os.getpid(), [])

    assert all(fact.granted for fact in node.access())


def test_access_as_root_and_as_an_ordinary_user(node: ProcSource) -> None:
    """Asked for before anything was read, it looks for itself."""
    own = os.getpid()

    def of_nobody() -> list[str]:
        with closing(ProcSource()) as source:
            source.read([(OWNER, own)])
            return [fact.name for fact in source.access() if not fact.granted]

    assert all(fact.granted for fact in node.access())
    assert as_nobody(of_nobody) == ["root", "sys-ptrace", "namespace-links"]


def test_boot_and_cgroup_version(node: ProcSource, proc: FakeProc) -> None:
    """Facts about the node; empty where the kernel does not tell."""
    with closing(ProcSource(proc.root)) as source:
        assert (source.boot_id, source.cgroup_version) == ("", "")

    assert node.boot_id
    assert node.cgroup_version in ("v1", "v2", "hybrid")


def test_close_leaves_no_file_open(proc: FakeProc) -> None:
    """The number of open files is what it was before."""
    before = open_files()
    source = ProcSource(proc.root)
    source.read(())
    assert open_files() > before
    source.close()

    assert open_files() == before
