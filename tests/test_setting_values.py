"""What the value of a setting may be; that each setting has its reader is test_settings' matter."""

import math

import pytest

from pausewatch import setting_values


@pytest.mark.parametrize(("value", "read"), [(True, True), ("FALSE", False), ("true", True)])
def test_switch_is_a_bool_or_its_word(value: object, read: bool) -> None:  # noqa: FBT001  what is expected
    """YAML gives the one, the environment the other."""
    assert setting_values.switch(value) is read


@pytest.mark.parametrize("value", ["yes", 1, None, ""])
def test_switch_takes_nothing_for_true(value: object) -> None:
    """A probe that enters network namespaces must not be on by accident."""
    with pytest.raises(ValueError, match="is neither true nor false"):
        setting_values.switch(value)


@pytest.mark.parametrize("value", [0.1, "0.1", 60, "6e1"])
def test_number_may_be_at_its_bounds(value: object) -> None:
    """Both are allowed."""
    assert setting_values.number(value, minimum=0.1, maximum=60, unit="seconds") == float(str(value))


@pytest.mark.parametrize("value", [0.09, 61, "inf", "nan", True, "", None, "ten"])
def test_other_values_are_refused_with_what_is_allowed(value: object) -> None:
    """A bool is a number to Python, and to nobody else."""
    with pytest.raises(ValueError, match=r"allowed: 0\.1 to 60 \(seconds\)"):
        setting_values.number(value, minimum=0.1, maximum=60, unit="seconds")


def test_number_without_upper_bound_is_finite() -> None:
    """No scan waits for ever."""
    with pytest.raises(ValueError, match="0 or more"):
        setting_values.number("inf", minimum=0, maximum=math.inf, unit="seconds")


def test_bad_value_is_shown_short_and_escaped() -> None:
    """It may come from a file that anybody wrote."""
    assert setting_values.shown("\x1b[31m") == r"'\x1b[31m'"
    assert len(setting_values.shown("x" * 500)) == setting_values.LONGEST_SHOWN


@pytest.mark.parametrize(("value", "read"), [("/host", "/host"), ("/host//", "/host"), ("/", ""), ("", "")])
def test_directory_is_what_paths_are_put_behind(value: str, read: str) -> None:
    """The root directory itself adds nothing."""
    assert setting_values.directory(value) == read


def test_directory_is_absolute() -> None:
    """Relative to what the agent happens to run in, it would find nothing or the wrong thing."""
    with pytest.raises(ValueError, match="'host' is no absolute path; it begins with /"):
        setting_values.directory("host")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", ""),
        (30.0, "30"),
        (0.5, "0.5"),
        (True, "true"),
        ("7", "'7'"),
        ("a\nb", r'"a\nb"'),
        ({"pod": "a\nb"}, r'{"pod": "a\nb"}'),
        ({"check": "zombie-buildup", "pod": "true"}, "{check: zombie-buildup, pod: 'true'}"),
    ],
)
def test_written_value_is_one_line_of_yaml(value: object, line: str) -> None:
    """It is read back as what it was: a text that looks like a number is quoted."""
    assert setting_values.written(value) == line
