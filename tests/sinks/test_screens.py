"""Screens: light and dark, with and without colour, narrow and wide, all say the same."""

import re
from collections.abc import Iterator
from functools import cache

import pytest
from rich.color import ColorType
from rich.console import Console
from rich.style import Style

from checks.test_all_checks import later, looked_at
from kubectl_plugin.answers import CRITICAL, NOW, pod, read
from pausewatch.kubectl_plugin.fleet import fleet, fleet_page, row_of
from pausewatch.kubectl_plugin.node import node_page
from pausewatch.kubectl_plugin.pod import asked, pod_page
from pausewatch.model.history import History
from pausewatch.model.view import NodeView
from pausewatch.sinks import terminal, terminal_inspect
from pausewatch.sinks.inspection import inspection
from pausewatch.sinks.page import Page
from support.printed import printed
from support.reports import a_finding
from support.sick import a_sick_snapshot

BLACK_AND_WHITE = {0, 7, 8, 15}
"""Of the 16 colours that a terminal chooses itself; one of these is its background, or close to it."""

WIDTHS = (80, 200)

LENGTH_OF_AN_ID = 64
"""Of a sandbox or container, in digits."""

STYLE = re.compile(r"\x1b\[[0-9;]*m")
BRANCHES = str.maketrans("", "", "├└│─")


@cache
def screens() -> dict[str, Page]:
    """Return what people see of a node with most of the faults there are, and of its reports in the cluster."""
    snapshot = a_sick_snapshot()
    report, afterwards = looked_at(snapshot, later(snapshot)), later(snapshot)
    node = NodeView(afterwards, History())
    inspected = inspection(node, list(node.sandboxes.values()), report)
    stored = read(findings=(CRITICAL, a_finding()))
    row = row_of(stored, NOW)
    assert row is not None
    shown = {
        "doctor": terminal.access(snapshot.access),
        "fleet": fleet_page(fleet((row,), {"silent": "NotReady"}, NOW), terminal=True),
        "pod": pod_page(asked(pod()), stored, NOW),
    }
    for option, wide in (("", False), (" -o wide", True)):
        shown[f"scan{option}"] = terminal.scan(report, snapshot.access, wide=wide, live=True)
        shown[f"inspect{option}"] = terminal_inspect.inspect(report, inspected, wide=wide)
        shown[f"node{option}"] = node_page(stored, NOW, wide=wide)
    return shown


SCREENS = (
    "doctor",
    "fleet",
    "pod",
    *(f"{one}{wide}" for one in ("scan", "inspect", "node") for wide in ("", " -o wide")),
)

each_screen = pytest.mark.parametrize("name", SCREENS)


def styles(page: Page) -> Iterator[Style]:
    """Yield the style of each piece that is printed."""
    console = Console(width=WIDTHS[0], force_terminal=True, _environ={})
    for segment in console.render(page):
        if segment.style is not None:
            yield segment.style


@each_screen
def test_colours_are_the_terminal_s_own_and_neither_of_its_extremes(name: str) -> None:
    """Whoever has a light screen has chosen colours for it; black or white text would be gone on one of the two."""
    used = list(styles(screens()[name]))

    assert used
    for style in used:
        assert style.bgcolor is None
        assert style.color is None or style.color.type is ColorType.DEFAULT or is_one_of_16(style)


def is_one_of_16(style: Style) -> bool:
    """Whether a style's colour is one that the terminal chooses, and is sure to differ from its background."""
    assert style.color is not None
    return style.color.type is ColorType.STANDARD and style.color.number not in BLACK_AND_WHITE


@each_screen
@pytest.mark.parametrize("width", WIDTHS)
def test_without_colour_nothing_is_lost(name: str, width: int) -> None:
    """The same text, to the letter."""
    coloured = printed(screens()[name], width=width, terminal=True, colour=True)

    assert STYLE.sub("", coloured) == printed(screens()[name], width=width, terminal=True)


@each_screen
def test_width_moves_words_and_breaks_none(name: str) -> None:
    """Ids, paths and commands are whole at 80 columns, and the words are those of 200 columns and of a log file."""
    in_a_file = words_of(printed(screens()[name]))

    for width in WIDTHS:
        assert words_of(printed(screens()[name], width=width, terminal=True)) == in_a_file


@each_screen
def test_text_stays_within_the_screen(name: str) -> None:
    """Longer than a narrow screen is only what a line break would destroy: a command, a row of a tree, a whole id."""
    whole = {line.strip() for line in printed(screens()[name]).splitlines()}
    too_long = [line.strip() for line in lines_of(name, WIDTHS[0]) if len(line) > WIDTHS[0]]

    assert [line for line in too_long if line not in whole and len(line.split()[-1]) < LENGTH_OF_AN_ID] == []


def lines_of(name: str, width: int) -> list[str]:
    """Return what a terminal shows, line by line."""
    return printed(screens()[name], width=width, terminal=True).splitlines()


def words_of(text: str) -> list[str]:
    """Return the words in their order, without the branches of a tree, which go on beside wrapped text."""
    return text.translate(BRANCHES).split()
