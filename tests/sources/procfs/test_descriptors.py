import pytest

from pausewatch.sources.procfs.descriptors import MOST_DESCRIPTORS, SPARE_DESCRIPTORS, affordable_descriptors
from sources.procfs.swept import soft_limit_of_open_files


@pytest.mark.parametrize(
    ("soft_limit", "affordable"),
    [(256, 256 - SPARE_DESCRIPTORS), (SPARE_DESCRIPTORS - 1, 0), (MOST_DESCRIPTORS * 2, MOST_DESCRIPTORS)],
)
def test_limit_of_open_files_decides_how_many_stay_open(soft_limit: int, affordable: int) -> None:
    """Some are left for the rest of the program; a high limit is not used up."""
    with soft_limit_of_open_files(soft_limit):
        assert affordable_descriptors() == affordable
