"""The second try of tests that failed side by side."""

from pathlib import Path

import pytest

import suite
from suite import Part, result

PASSES = "def test_passes(): pass\n"
FAILS = "def test_fails(): assert False\n"
FAILS_ONCE = """
import pathlib
def test_fails_once():
    again = pathlib.Path(__file__).with_suffix(".again")
    first = not again.exists()
    again.touch()
    assert not first
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tests that stands for the repository's."""
    monkeypatch.setattr(suite, "REPOSITORY", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def exit_code(folder: Path, *texts: str, live: bool = True) -> int:
    """Return what comes of a part with a file for each text."""
    for number, text in enumerate(texts):
        (folder / f"test_{number}.py").write_text(text)
    return result(Part(name="of-a-test", arguments=(".", "--cache-clear"), live=live))


def test_what_fails_once_is_told_and_passes(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It alone is run again."""
    assert exit_code(folder, PASSES, FAILS_ONCE) == 0

    said = capfd.readouterr().out
    assert "suite: failed beside others, and run again alone: test_1.py::test_fails_once\n" in said
    assert said.splitlines()[-1].strip("= ").startswith("1 passed")


def test_what_fails_again_has_failed(folder: Path) -> None:
    """Beside one that does not."""
    assert exit_code(folder, FAILS_ONCE, FAILS) == 1


def test_many_are_no_accident(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Not even one of them is tried again."""
    assert exit_code(folder, *[FAILS_ONCE] * (suite.MOST_DISTURBED + 1)) == 1
    assert "run again" not in capfd.readouterr().out


def test_what_runs_beside_nobody_is_not_tried_again(folder: Path) -> None:
    """Nor is the other way to fail: no tests at all."""
    assert exit_code(folder, FAILS_ONCE, live=False) == 1
    (folder / "test_0.py").write_text("")
    assert result(Part(name="of-a-test", arguments=(".",), live=True)) == 5
