"""Pages on a terminal, in a pipe or in a file.

Colour and line breaks are for terminals; ``NO_COLOR``, ``TERM=dumb`` and ``COLUMNS`` are obeyed by rich.
"""

import sys

from rich.console import Console

from pausewatch.cli.runbook import THEME, Runbook
from pausewatch.cli.streams import write
from pausewatch.sinks.page import Page, show


def show_page(page: Page, *, clear: bool = False) -> None:
    """Write a page; raises what ``write`` raises.

    Args:
        page: What to write.
        clear: Whether it replaces what a terminal shows.
    """
    console = _console()
    with console.capture() as captured:
        if clear:
            console.clear()
        show(console, page)
    write(captured.get())


def show_runbook(page: str) -> None:
    """Write a runbook page, which is Markdown, for people; raises what ``write`` raises."""
    console = _console()
    with console.capture() as captured:
        # Cropped lines would be commands without their end.
        console.print(Runbook(page), crop=False)
    write(captured.get())


def stdout_is_terminal() -> bool:
    """Whether a person reads the output as it appears."""
    return sys.stdout.isatty()


def _console() -> Console:
    # Text comes from nodes: nothing in it is markup, an emoji or to be highlighted.
    return Console(theme=THEME, highlight=False, markup=False, emoji=False)
