"""Pages that are written by hand, but for what stands between two marks: ``<!-- name -->`` and ``<!-- /name -->``."""

import re


def fill(page: str, mark: str, text: str) -> str:
    """Return a page with a text between the marks of a name, in place of what stands there.

    Args:
        page: Its text.
        mark: The name of the marks.
        text: Whole lines; a last newline is added.

    Raises:
        ValueError: Not one pair of such marks is there: the text would stand nowhere, or in the wrong place.
    """
    pattern = rf"(?<=^<!-- {mark} -->\n).*?(?=^<!-- /{mark} -->$)"
    filled, pairs = re.subn(pattern, lambda _: f"{text.rstrip()}\n", page, flags=re.DOTALL | re.MULTILINE)
    if pairs != 1:
        raise ValueError(f"{pairs} pairs of the marks <!-- {mark} --> and <!-- /{mark} --> instead of one")
    return filled
