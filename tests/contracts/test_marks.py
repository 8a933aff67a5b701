"""What is put between the marks of a page."""

import pytest

from contracts.marks import fill


@pytest.mark.parametrize("before", ["", "old\n", "old\n\nolder\n"])
def test_text_takes_the_place_of_what_was_there(before: str) -> None:
    """Also where nothing was there yet."""
    page = f"above\n<!-- one -->\n{before}<!-- /one -->\nbelow\n"

    assert fill(page, "one", r"new \1") == "above\n<!-- one -->\nnew \\1\n<!-- /one -->\nbelow\n"


@pytest.mark.parametrize(
    "page",
    [
        "no marks\n",
        "<!-- one -->\nnever ended\n",
        "<!-- one -->\n<!-- /one -->\n<!-- one -->\n<!-- /one -->\n",
        "told of: `<!-- one -->`\n<!-- /one -->\n",
    ],
)
def test_page_without_one_pair_of_marks_is_refused(page: str) -> None:
    """A text that stands nowhere would be missed by nobody."""
    with pytest.raises(ValueError, match="<!-- one -->"):
        fill(page, "one", "new")
