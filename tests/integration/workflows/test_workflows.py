"""The workflows as actionlint sees them: it knows the syntax, the expressions, and what well-known actions take."""

import subprocess
from pathlib import Path

import pytest

from lab.build.workflow_linter import ensure_actionlint

pytestmark = pytest.mark.lab

WORKFLOWS = sorted((Path(__file__).parents[3] / ".github" / "workflows").glob("*.y*ml"))
SECONDS = 60.0


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The program, from the lab's cache."""
    return ensure_actionlint()


def complaints(actionlint: Path, *files: Path) -> str:
    """Return what actionlint says, line by line; without shellcheck and pyflakes, which a machine may have or not."""
    command = [actionlint, "-no-color", "-oneline", "-shellcheck=", "-pyflakes=", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert bool(done.stdout) == (done.returncode == 1)
    return done.stdout


def test_there_is_nothing_to_complain_of(actionlint: Path) -> None:
    """They have never run: a mistake would be found on the day of the first release else."""
    assert {path.name for path in WORKFLOWS} == {"ci.yml", "release.yml"}
    assert complaints(actionlint, *WORKFLOWS) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("steps.push.outputs.digest }}\n          push-to", "steps.psh.outputs.digest }}\n          push-to", "psh"),
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.40", "ubuntu-24.40"),
        ("id-token: write", "id-tokens: write", "id-tokens"),
        ("timeout-minutes: 60", "timeout-minute: 60", "timeout-minute"),
        ("${{ github.repository }}", "${{ github.repostory }}", "repostory"),
    ],
)
def test_mistakes_are_found(actionlint: Path, tmp_path: Path, right: str, wrong: str, says: str) -> None:
    """A linter that does not look would complain of nothing too."""
    (release,) = [path for path in WORKFLOWS if path.name == "release.yml"]
    text = release.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "release.yml"
    broken.write_text(text.replace(right, wrong), encoding="utf-8")

    assert says in complaints(actionlint, broken)
