"""Files that follow from other files are what they follow to."""

import pytest

from contracts.render import COMMAND, RENDERED, REPOSITORY


@pytest.mark.parametrize("target", RENDERED)
def test_rendered_files_are_current(target: str) -> None:
    """Edited by hand, or left behind by a change of what they come from, they would tell users wrong things."""
    assert (REPOSITORY / target).read_text() == RENDERED[target](), f"{target} is not current: run `{COMMAND}`"
