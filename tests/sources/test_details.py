from pausewatch.model.snapshot import DETAIL_SECTIONS
from pausewatch.sources.details import detail_sources


def test_each_source_reads_a_section_of_the_snapshot() -> None:
    """A name that the Snapshot lacks would break every scan."""
    assert set(detail_sources()) <= set(DETAIL_SECTIONS)


def test_sources_are_not_shared() -> None:
    """Two collectors in one process must not see each other's memory."""
    first, second = detail_sources(), detail_sources()

    assert all(first[name] is not second[name] for name in first)
