"""Pages on a terminal, in a pipe or in a file.

Colour and line breaks are for terminals; ``NO_COLOR``, ``TERM=dumb`` and ``COLUMNS`` are obeyed by rich.
"""

import sys

from rich.console import Console
from rich.theme import Theme

from pausewatch.cli.streams import write
from pausewatch.sinks.page import Page, show


def show_page(page: Page, *, clear: bool = False) -> None:
    """Write a page; raises what ``write`` raises.

    Args:
        page: What to write.
        clear: Whether it replaces what a terminal shows.
    """
    console = new_console()
    with console.capture() as captured:
        if clear:
            console.clear()
        show(console, page)
    write(captured.get())


def stdout_is_terminal() -> bool:
    """Whether a person reads the output as it appears."""
    return sys.stdout.isatty()


def new_console(theme: Theme | None = None) -> Console:
    """Return a console for standard output. Text comes from nodes: nothing in it is markup, an emoji or a keyword."""
    return Console(theme=theme, highlight=False, markup=False, emoji=False)
