"""Text from the node, made safe once: the parsers call this, nobody after them has to.

A process chooses its own name, and whoever may talk to the CRI chooses names and labels there. Unescaped, such text
could move the cursor of a terminal, forge a log line or reorder what a person reads (bidirectional controls).
"""

NOT_UTF8 = range(0xDC80, 0xDD00)
"""Code points that the ``surrogateescape`` error handler stands in for the bytes 0x80 to 0xFF (PEP 383)."""

LATIN_1 = range(0x80, 0x100)
"""Characters that Python would escape as it does bytes: U+0085 would look like the byte 0x85, which is none."""

LONGEST_TEXT = 256
"""Characters kept of one piece of text. Names are shorter (63 and 253); a longer one is no name and is cut."""


def printable(raw: bytes | str, longest: int = LONGEST_TEXT) -> str:
    r"""Return ``raw`` as text without control, format, surrogate or unassigned characters, and with one kind of space.

    Each such character, each byte that is not UTF-8, and the backslash itself become a backslash escape, so two
    different inputs never look the same. Cut text ends in an ellipsis.

    >>> printable(b"sh\x1b[31m")
    'sh\\x1b[31m'
    >>> printable("a\\b")
    'a\\\\b'
    """
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    if text.isascii() and text.isprintable() and "\\" not in text:
        safe = text
    else:
        safe = "".join(_escaped(character) for character in text[: longest + 1])
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    code = ord(character)
    if code in NOT_UTF8:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    if code in LATIN_1:
        return f"\\u{code:04x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def at_least(count: int) -> str:
    """Return a count as a lower bound of one significant digit, so that a growing one rarely changes stored text.

    >>> at_least(7), at_least(16), at_least(1576)
    ('7', '10+', '1,000+')
    """
    if count < 10:  # noqa: PLR2004  one digit is exact
        return str(count)
    unit = 10 ** (len(str(count)) - 1)
    return f"{count // unit * unit:,}+"
