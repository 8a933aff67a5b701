from pausewatch.model.snapshot import DETAIL_SECTIONS
from pausewatch.sources.details import Place, detail_sources


def test_each_source_reads_a_section_of_the_snapshot() -> None:
    """A name that the Snapshot lacks would break every scan."""
    assert set(detail_sources()) <= set(DETAIL_SECTIONS)


def test_sources_are_not_shared() -> None:
    """Two collectors in one process must not see each other's memory."""
    first, second = detail_sources(), detail_sources()

    assert all(first[name] is not second[name] for name in first)


def test_files_of_the_runtime_are_below_its_root() -> None:
    """From inside a pod the runtime's files are nowhere else."""
    assert Place(proc="/proc", listener_pid=800, endpoint="/run/x.sock").root == "/proc/800/root"
