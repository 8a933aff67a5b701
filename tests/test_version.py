import re

from pausewatch.version import program_version


def test_version_is_one_that_packaging_tools_understand() -> None:
    """It goes into recordings, where a reader compares it."""
    assert re.fullmatch(r"\d+\.\d+\.\d+(\+\w+)?", program_version())
