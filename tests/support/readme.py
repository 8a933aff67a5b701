"""The commands of README.md, for tests that type them: what it says is what is tested."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def commands_below(heading: str) -> tuple[str, ...]:
    """Return the lines of code of a section.

    Args:
        heading: How the section's heading begins.

    Raises:
        AssertionError: README.md has no such section, or more than one, or no code in it.
    """
    sections = re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = [one for one in sections if one.startswith(heading)]
    commands = tuple(re.findall(r"^    (\S.*)$", section, re.MULTILINE))
    assert commands, f"README.md has no command below {heading}"
    return commands
