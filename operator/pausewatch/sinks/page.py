"""Lines for people: indented, wrapped on a terminal only, and safe to copy from.

Text is built from pieces, never parsed for markup: names come from a node and must not be interpreted. There is no
box around anything and no padding, and no branch of a tree stands before a command, so that a line that is copied,
searched for or piped is the text and nothing else.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

INDENT = 2
"""Columns of one level."""

IN_ASCII = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-"})
"""The branches of a tree where the encoding of the output has no others."""

NARROWEST = 30
"""Columns in which text still wraps readably; where fewer are left, the terminal wraps it itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a page."""

    text: Text
    level: int = 0
    """How often it is indented."""

    label: Text | None = None
    """What stands before the text; wrapped text continues below the text, not below the label."""

    branch: str = ""
    """The branches of a tree on the left of everything: ``│  ├─ ``."""

    trunk: str = ""
    """What takes their place where wrapped text continues, as wide as they are: ``│  │  ``."""

    wraps: bool = True
    """False for commands: a line break inside one changes what it does."""


@dataclass(frozen=True, slots=True)
class Page:
    """Lines that rich can print; show them with ``show``, or rich crops those that do not wrap."""

    lines: tuple[Line, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines, wrapped where a person reads them on a terminal.

        Elsewhere a message is one line, whatever its length, so that it can be searched for.
        """
        for line in self.lines:
            yield from _rendered(
                line, options.max_width if console.is_terminal else None, ascii_only=options.ascii_only
            )


def show(console: Console, page: Page) -> None:
    """Print a page; commands stay whole, however narrow the terminal is."""
    console.print(page, crop=False)


def words(*pieces: str | Text | tuple[str, str]) -> Text:
    """Return text made of plain pieces and (text, style) pieces."""
    return Text.assemble(*pieces)


def labelled(rows: Iterable[tuple[str, Text]], level: int) -> Iterable[Line]:
    """Yield one line per (label, text), the texts aligned."""
    rows = tuple(rows)
    column = max((len(label) for label, _ in rows), default=0) + INDENT
    for label, text in rows:
        yield Line(label=Text(label.ljust(column), "dim"), text=text, level=level)


def _rendered(line: Line, width: int | None, *, ascii_only: bool) -> Iterable[Text]:
    indent = " " * (INDENT * line.level)
    branch, trunk = (part.translate(IN_ASCII) if ascii_only else part for part in (line.branch, line.trunk))
    label = line.label or Text()
    start = Text(indent) + Text(branch, "dim") + label
    left = start.cell_len
    folded: Iterable[Text] = [line.text]
    if width is not None and line.wraps and width - left >= NARROWEST:
        folded = _folded(line.text, width - left)
    for piece in folded:
        whole = start + piece
        whole.rstrip()
        whole.no_wrap, whole.overflow = True, "ignore"
        yield whole
        start = Text(indent) + Text(trunk, "dim") + Text(" " * (left - len(indent) - len(trunk)))


def _folded(text: Text, width: int) -> Iterable[Text]:
    """Break text between words only: a path or an id with a line break inside is of no use to who copies it."""
    breaks = []
    column = 0
    for word in re.finditer(r"\S+\s*", text.plain):
        if column and column + cell_len(word.group().rstrip()) > width:
            breaks.append(word.start())
            column = 0
        column += cell_len(word.group())
    return text.divide(breaks)
