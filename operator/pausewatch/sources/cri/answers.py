"""The bytes of an answer to a message of the CRI, within bounds on what the message may need.

gRPC bounds the bytes of an answer (``client.LARGEST_ANSWER_BYTES``). That alone bounds no memory: an empty entry of
a list has two bytes, and takes about 250 as a message and an object of Python; JSON of empty lists takes 27 times its
text (both measured). Unbounded, 16 MiB from a runtime that went mad become 2 GB, and the agent is killed.
"""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

MOST_ENTRIES = 10_000
"""Of one list: ten times what the largest nodes run. An ordinary entry, with its labels and annotations, has more than
1 kB, so that not many more fit into the largest answer anyway."""

LARGEST_STATUS_BYTES = 2 * 1024 * 1024
"""Of any answer but a list. A status holds the labels and annotations of one pod (256 KiB at most, kubernetes
ValidateAnnotationsSize) and, twice, the environment of one container; most have less than 20 kB."""

_VARINT, _LENGTH_DELIMITED = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
"""Wire types (protobuf.dev, Encoding), the last two with their size."""

_ENTRY_TAG = b"\x0a"
"""Field 1, length-delimited: how each entry of a list begins. Other fields begin so too, and text may hold it."""

MessageT = TypeVar("MessageT", bound=Message)


class AnswerError(Exception):
    """The bytes of an answer were not taken; the text says why, to follow the words "an answer that"."""


class TooLargeError(AnswerError):
    """There are more of them, or more in them, than we take."""


class UnreadableError(AnswerError):
    """They are no message of the CRI."""


def read_list(kind: type[MessageT], raw: bytes) -> MessageT:
    """Return the message of a list.

    Raises:
        TooLargeError: It has more than ``MOST_ENTRIES`` entries.
        UnreadableError: It is no such message.
    """
    # The first count costs next to nothing and is never too small, so that only long lists are counted exactly.
    if raw.count(_ENTRY_TAG) > MOST_ENTRIES and _fields(raw, MOST_ENTRIES + 1) > MOST_ENTRIES:
        raise TooLargeError(f"lists more than {MOST_ENTRIES:,} entries")
    return _message(kind, raw)


def read_status(kind: type[MessageT], raw: bytes) -> MessageT:
    """Return any other message.

    Raises:
        TooLargeError: It has more than ``LARGEST_STATUS_BYTES``.
        UnreadableError: It is no such message.
    """
    if len(raw) > LARGEST_STATUS_BYTES:
        raise TooLargeError(f"has more than {LARGEST_STATUS_BYTES >> 20} MiB")
    return _message(kind, raw)


def _message(kind: type[MessageT], raw: bytes) -> MessageT:
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise UnreadableError("is no message of the CRI") from error


def _fields(raw: bytes, most: int) -> int:
    """Return how many fields of variable length there are at the top, as far as ``most``.

    What is no message ends the count: reading it tells.
    """
    count = position = 0
    while count < most and position < len(raw):
        tag, position = _varint(raw, position)
        wire_type = tag & 7
        if wire_type == _LENGTH_DELIMITED:
            length, position = _varint(raw, position)
            position += length
            count += 1
        elif wire_type == _VARINT:
            _, position = _varint(raw, position)
        elif wire_type in _FIXED_BYTES:
            position += _FIXED_BYTES[wire_type]
        else:
            break
    return count


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position, of which only the first 64 bits count, and the position behind it."""
    number = shift = 0
    for byte in raw[position : position + 10]:
        number |= (byte & 0x7F) << shift
        shift += 7
        position += 1
        if byte < 0x80:  # noqa: PLR2004  the bit that says that more follow
            break
    return number, position
