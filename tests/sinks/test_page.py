"""Lines that survive terminals, pipes and copying."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from pausewatch.sinks.page import Line, Page, labelled, show, words
from support.printed import printed

COMMAND = "kubectl --namespace " + "n" * 63 + " delete pod " + "p" * 253


def page(*lines: Line) -> Page:
    """Return a page of some lines."""
    return Page(lines)


@pytest.mark.parametrize("width", [20, 80, 120])
def test_a_command_is_never_broken_or_cut(width: int) -> None:
    """The terminal itself wraps it on screen, and copies it as one line."""
    text = printed(page(Line(text=Text(COMMAND), level=2, wraps=False)), width=width, terminal=True)

    assert text == f"    {COMMAND}\n"


def test_text_wraps_below_its_beginning() -> None:
    """A label keeps its column for itself."""
    line = Line(label=Text("parent  "), text=Text("pid 2311 does not wait for its dead children"), level=1)

    assert printed(page(line), width=40, terminal=True) == (
        "  parent  pid 2311 does not wait for its\n          dead children\n"
    )


def test_text_does_not_wrap_in_a_pipe() -> None:
    """One message is one line for grep."""
    line = Line(text=Text("many words " * 20))

    assert printed(page(line), width=40).count("\n") == 1


def test_words_are_never_broken() -> None:
    """A path or an id with a line break inside is of no use to who copies it."""
    name = "/var/run/netns/cni-cf844504-69a9-63da-939e-38fca4a054ec"

    assert f"\n{name}\n" in printed(page(Line(text=Text(f"see {name} there"))), width=40, terminal=True)


def test_wide_characters_take_two_columns() -> None:
    """A line of them wraps before the edge of the terminal."""
    text = printed(page(Line(text=Text("漢字漢字漢字漢字 漢字漢字漢字漢字 漢字漢字"))), width=34, terminal=True)

    assert text == "漢字漢字漢字漢字 漢字漢字漢字漢字\n漢字漢字\n"


def test_markup_is_text() -> None:
    """A process may call itself what it likes."""
    line = Line(text=words(("[red]x[/red]", "bold"), " :boom: [link=file:///etc]"))

    assert printed(page(line), terminal=True) == "[red]x[/red] :boom: [link=file:///etc]\n"


def test_colour_is_for_terminals_that_have_it() -> None:
    """Elsewhere there are no escape sequences at all."""
    line = Line(text=words(("CRITICAL", "bold red")))

    assert printed(page(line), terminal=True, colour=True) == "\x1b[1;31mCRITICAL\x1b[0m\n"
    assert printed(page(line), terminal=True) == "CRITICAL\n"


def test_no_line_ends_in_blanks() -> None:
    """They would be copied."""
    text = printed(page(*labelled([("a", Text()), ("long label", Text("text"))], level=1)), terminal=True)

    assert text == "  a\n  long label  text\n"


def test_a_tree_goes_on_beside_wrapped_text() -> None:
    """The branch stands before the first line only, its trunk before the others."""
    line = Line(label=Text("app  "), text=Text("many words of a container"), level=1, branch="├─ ", trunk="│  ")

    assert printed(page(line), width=40, terminal=True) == "  ├─ app  many words of a container\n"
    long = Line(label=Text("app  "), text=Text("word " * 12), level=1, branch="├─ ", trunk="│  ")
    assert printed(page(long), width=50, terminal=True) == (
        "  ├─ app  word word word word word word word word\n  │       word word word word\n"
    )


def test_a_tree_is_drawn_with_what_the_encoding_has() -> None:
    """An old locale gets ASCII, not escapes."""
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding="ascii")
    show(Console(file=output, _environ={}), page(Line(text=Text("app"), branch="├─ ", trunk="│  ")))
    output.flush()

    assert raw.getvalue() == b"|- app\n"
