"""Text from the node, made safe once: the parsers call this, nobody after them has to.

A process chooses its own name, and whoever may talk to the CRI chooses names and labels there. Unescaped, such text
could move the cursor of a terminal, forge a log line or reorder what a person reads (bidirectional controls).
"""

import unicodedata

LONGEST_TEXT = 256
"""Characters kept of one piece of text. Names are shorter (63 and 253); a longer one is no name and is cut."""


def printable(raw: bytes | str, longest: int = LONGEST_TEXT) -> str:
    r"""Return ``raw`` as text without control, format, surrogate or unassigned characters.

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
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(character)[0] == "C" or character in "\u2028\u2029":
        return character.encode("unicode_escape", "backslashreplace").decode("ascii")
    return character
