"""What every reader is held to."""

import unicodedata
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from fuzz.targets import Target

LEAST_CHARACTERS = 50_000
"""A report is told with its own words, however little there was to read."""

CHARACTERS_PER_BYTE = 12
"""An escaped byte takes four, and a text may be kept in three places."""


class BrokenError(AssertionError):
    """A reader did what it must not."""


def hold(target: Target, raw: bytes) -> str:
    """Read, and return in a word what came of it: the name of a type or of a declared error.

    Raises:
        BrokenError: It raised an error that it does not declare, or its value is too large or unsafe to show.
    """
    try:
        value = target.read(raw)
    except target.declared as error:
        texts = [str(error)]
        outcome = type(error).__name__
    except Exception as error:
        raise BrokenError(f"{type(error).__name__}: {error}") from error
    else:
        texts = [*_texts(value)]
        outcome = _shape(value)
    unsafe = next((one for one in texts if any(map(_is_unsafe, one))), None)
    if unsafe is not None:
        raise BrokenError(f"text that is not escaped: {unsafe!r}")
    length = sum(map(len, texts))
    if length > LEAST_CHARACTERS + CHARACTERS_PER_BYTE * len(raw):
        raise BrokenError(f"{length} characters from {len(raw)} bytes")
    return outcome


def _is_unsafe(character: str) -> bool:
    """Whether a character is a control, format, surrogate or unassigned one, or ends a line."""
    return (not character.isascii() and (unicodedata.category(character)[0] == "C" or character in "\u2028\u2029")) or (
        character < " " or character == "\x7f"
    )


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a value of the model, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _texts(inner)
    elif is_dataclass(value):
        for field in fields(value):
            if field.repr:
                yield from _texts(getattr(value, field.name))


def _shape(value: object) -> str:
    """Return what kind of value it is: new kinds are what is worth keeping of a long search."""
    if is_dataclass(value):
        parts = (f"{field.name}={_shape(getattr(value, field.name))}" for field in fields(value) if field.repr)
        reason = getattr(value, "reason", "")
        return f"{type(value).__name__}({reason or ','.join(parts)})"
    if isinstance(value, tuple | list):
        return f"[{','.join(sorted({*map(_shape, value)}))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_shape(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, str | int | float | bytes):
        return f"{type(value).__name__}{'+' if value else '0'}"
    return type(value).__name__
