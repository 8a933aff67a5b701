"""Runbook pages as the person on call sees them."""

import io
import re
from importlib.resources import files

import pytest
from rich.color import ColorType
from rich.console import Console

from pausewatch import checks
from pausewatch.checks._check import Check, all_checks
from pausewatch.cli.runbook import THEME, Runbook


def on_a_terminal(width: int) -> Console:
    """Return a terminal with all the colours there are."""
    return Console(
        file=io.StringIO(), theme=THEME, width=width, force_terminal=True, color_system="truecolor", _environ={}
    )


def page_of(check: Check) -> str:
    """Return the page as it was written."""
    return files(checks).joinpath(check.page).read_text(encoding="utf-8")


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.id)
def test_commands_can_be_copied(check: Check) -> None:
    """Each is one line without blanks at its end, however narrow the terminal is."""
    page = page_of(check)
    console = on_a_terminal(60)
    with console.capture() as captured:
        console.print(Runbook(page), crop=False)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", captured.get()).splitlines()

    assert [line for line in re.findall(r"^    \S.*$", page, re.MULTILINE) if line not in shown] == []


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.id)
def test_colours_are_the_terminal_s_own(check: Check) -> None:
    """No background, and none but the 16 colours that whoever has a light screen has chosen for it."""
    console = on_a_terminal(80)
    used = [segment.style for segment in console.render(Runbook(page_of(check))) if segment.style]

    assert used
    for style in used:
        assert style.bgcolor is None
        assert style.color is None or style.color.type in (ColorType.DEFAULT, ColorType.STANDARD)
