"""A runbook page on a terminal, its commands whole and in the terminal's own colours.

Only ``explain`` imports this: to read Markdown takes as long to import as all of the rest that a scan needs.
"""

from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown, MarkdownElement
from rich.text import Text
from rich.theme import Theme

from pausewatch.cli.console import new_console
from pausewatch.cli.streams import write

THEME = Theme({"markdown.code": "bold"})
"""Code within a sentence. rich's own is on black, a hole in a light screen."""

INDENT = "    "
"""As in the page."""


class _Code(CodeBlock):
    """Lines of code as they are.

    rich's own are coloured for a dark screen, filled up with blanks, and broken at the edge of the screen: whoever
    copies a long command would paste two.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in str(self.text).rstrip().splitlines():
            yield Text(f"{INDENT}{line}" if line else "", style="bold", no_wrap=True, overflow="ignore")


class Runbook(Markdown):
    """Markdown whose code can be copied; print it with ``THEME`` and without cropping."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
    }


def show_runbook(page: str) -> None:
    """Write a runbook page, which is Markdown, for people; raises what ``write`` raises."""
    console = new_console(THEME)
    with console.capture() as captured:
        # Cropped lines would be commands without their end.
        console.print(Runbook(page), crop=False)
    write(captured.get())
