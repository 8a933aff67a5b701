"""Text from the node, made safe once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pausewatch.model.text import LONGEST_TEXT, at_least, printable


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        (b"nginx: worker", "nginx: worker"),
        (b"(sd-pam)", "(sd-pam)"),
        (b"sh\x1b[31m", "sh\\x1b[31m"),
        (b"two\nlines", "two\\nlines"),
        (b"caf\xc3\xa9", "café"),
        (b"bad\xff", "bad\\xff"),
        (b"back\\slash", "back\\\\slash"),
        ("right\u202eto left", "right\\u202eto left"),
        ("line\u2028separator", "line\\u2028separator"),
        ("no-break\u00a0space", "no-break\\u00a0space"),
        ("", ""),
    ],
)
def test_escapes_what_could_deceive_a_reader(raw: bytes | str, safe: str) -> None:
    """Control and format characters, bytes that are not UTF-8 and the backslash become escapes; the rest stays."""
    assert printable(raw) == safe


def test_cuts_what_is_no_name() -> None:
    """A text of exactly the limit stays, a longer one ends in an ellipsis and is no longer than the limit."""
    assert printable("a" * LONGEST_TEXT) == "a" * LONGEST_TEXT
    assert printable("a" * (LONGEST_TEXT + 1)) == "a" * (LONGEST_TEXT - 1) + "…"
    assert len(printable(b"\x1b" * 10_000)) == LONGEST_TEXT


@given(st.one_of(st.binary(max_size=64), st.text(max_size=64)))
def test_never_lets_a_control_character_through(raw: bytes | str) -> None:
    """Whatever comes in, only letters, marks, numbers, punctuation, symbols and the ordinary space come out."""
    assert printable(raw).isprintable()


def test_characters_and_bytes_look_different() -> None:
    """A character is not taken for the byte of the same number, nor one kind of space for another."""
    alike = ("\x85", b"\x85", " ", "\xa0", b"\xa0")
    assert len({printable(text) for text in alike}) == len(alike)


@given(st.binary(max_size=24), st.binary(max_size=24))
def test_different_bytes_look_different(one: bytes, other: bytes) -> None:
    """Two process names that differ must not be shown as the same."""
    assert (printable(one) == printable(other)) == (one == other)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9, "9"), (10, "10+"), (19, "10+"), (20, "20+"), (99, "90+"), (1576, "1,000+"), (32_768, "30,000+")],
)
def test_counts_are_lower_bounds_of_one_digit(count: int, text: str) -> None:
    """A growing count changes stored text only when its first digit does."""
    assert at_least(count) == text
