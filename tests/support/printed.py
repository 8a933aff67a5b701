"""Pages as the text that reaches a terminal or a pipe."""

import io

from rich.console import Console

from pausewatch.sinks.page import Page, show


def printed(page: Page, *, width: int = 80, terminal: bool = False, colour: bool = False) -> str:
    """Return what is written: into a pipe, or to a terminal of ``width`` columns, with or without colour."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    show(console, page)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
