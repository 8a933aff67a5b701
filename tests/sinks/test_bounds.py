"""What is stored fits the schema, whatever a node calls things."""

from hypothesis import given
from hypothesis import strategies as st

from pausewatch.sinks import bounds

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, st.integers(min_value=3, max_value=40))
def test_cut_text_fits_in_bytes(text: str, limit: int) -> None:
    """A limit in bytes holds in characters as well, and never splits a character."""
    cut = bounds.cut(text, limit)

    assert len(cut.encode()) <= limit
    assert cut == text or cut.endswith("…")


def test_text_that_fits_is_left_alone() -> None:
    """The limit itself is allowed."""
    assert bounds.cut("abcdef", 6) == "abcdef"
    assert bounds.cut("abcdefg", 6) == "abc…"


def test_id_stands_as_json_within_json_in_the_notes() -> None:
    """A quote in it becomes four bytes."""
    plain, quotes = bounds.noted_bytes("x" * 100), bounds.noted_bytes('"' * 100)

    assert quotes - plain == 300


@given(TEXT, st.integers(min_value=20, max_value=40))
def test_cut_ids_fit_in_bytes(text: str, limit: int) -> None:
    """The digest is part of the limit."""
    assert len(bounds.cut_id(text, limit).encode()) <= limit


def test_cut_ids_stay_different() -> None:
    """Two findings whose ids differ only at the end are two entries of a map."""
    first, second = (bounds.cut_id("a" * 600 + end) for end in "xy")

    assert first != second
    assert first[:400] == second[:400]


def test_a_short_id_is_left_alone() -> None:
    """In ordinary life ids are what a check and a subject make them."""
    assert bounds.cut_id("zombie-buildup/web-x/app/49b6b3a0c1d2") == "zombie-buildup/web-x/app/49b6b3a0c1d2"


def test_fitting_stops_at_the_number_and_at_the_size() -> None:
    """Whichever comes first; what follows a large item is not tried, so that the order stays worst first."""
    assert bounds.fitting([1] * 30, count=20, total=100) == 20
    assert bounds.fitting([40, 40, 40, 1], count=20, total=100) == 2
    assert bounds.fitting([], count=20, total=100) == 0
