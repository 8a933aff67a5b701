"""Random bytes of three kinds: any, good input that was damaged, and messages of protobuf that nobody made."""

from collections.abc import Sequence

from hypothesis import strategies as st

from fuzz.targets import Target

ODD_PIECES = (
    b"\0",
    b"\n",
    b"\r",
    b"\x1b[31m",
    b"\x85",
    b"\xff",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b" ",
    b"/",
    b":",
    b"(",
    b")",
    b"%",
    b'"',
    b"\\",
    b"-1",
    b"99999999999999999999",
    b"1e309",
    b"\\ud800",
    b"\\u0000",
    b"null",
    b"[",
    b"{",
    b"9" * 5000,
    b"x" * 300,
)
"""What readers stumble over."""

MOST_EDITS = 6
MOST_NESTED = 3
LARGEST_BYTES = 256


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Draw good input with some pieces changed, taken out, repeated, or put in."""
    raw = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, MOST_EDITS))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 32)))
        match draw(st.integers(0, 4)):
            case 0:
                raw[start:end] = b""
            case 1:
                raw[start:start] = draw(st.sampled_from(ODD_PIECES))
            case 2:
                raw[start:end] = draw(st.binary(max_size=8))
            case 3:
                raw[start:start] = raw[start:end] * draw(st.integers(1, 20))
            case _:
                raw[start:end] = draw(st.sampled_from(ODD_PIECES))
    return bytes(raw)


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def field(number: int, content: bytes) -> bytes:
    """Return a field of variable length."""
    return varint(number << 3 | 2) + varint(len(content)) + content


NUMBERS = st.integers(1, 18)
"""All that our part of the CRI has."""

LEAVES = (
    st.builds(lambda number, value: varint(number << 3) + varint(value), NUMBERS, st.integers(0, 2**64 - 1))
    | st.builds(field, NUMBERS, st.text(max_size=8).map(str.encode))
    | st.builds(field, NUMBERS, st.sampled_from(ODD_PIECES))
    | st.builds(lambda number, value: varint(number << 3 | 1) + value, NUMBERS, st.binary(min_size=8, max_size=8))
)

MESSAGES = st.recursive(
    LEAVES, lambda inner: st.builds(field, NUMBERS, st.lists(inner, max_size=MOST_NESTED).map(b"".join)), max_leaves=12
)


def input_of(target: Target) -> st.SearchStrategy[bytes]:
    """Return what a reader is tried with."""
    kinds = st.binary(max_size=LARGEST_BYTES) | damaged(target.seeds)
    return kinds | st.lists(MESSAGES, max_size=MOST_NESTED).map(b"".join) if target.is_message else kinds
