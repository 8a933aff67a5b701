"""``make pictures``: draw all pictures of the documentation from what they show. Root; about four minutes."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pictures.answers import VARIABLE
from pictures.architecture import REPOSITORY, render_architecture
from pictures.fleet import draw_fleet
from pictures.overview import draw_overviews
from pictures.terminal import draw_inspect

FOLDER = REPOSITORY / "docs" / "pictures"
TEST = "tests/e2e/test_prometheus.py"


def main() -> int:
    """Draw them; the exit code is that of the test whose Prometheus is asked."""
    FOLDER.mkdir(exist_ok=True)
    architecture = FOLDER / "architecture.svg"
    architecture.write_text(render_architecture(), encoding="utf-8")
    _say(architecture)
    for path in (*draw_inspect(FOLDER), *draw_fleet(FOLDER)):
        _say(path)
    with tempfile.TemporaryDirectory(prefix="pausewatch-pictures-") as scratch:
        answers = Path(scratch) / "answers.json"
        command = [sys.executable, "-m", "pytest", "--quiet", TEST]
        done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, VARIABLE: str(answers)}, check=False)
        if done.returncode:
            return done.returncode
        for path in draw_overviews(answers, FOLDER):
            _say(path)
    return 0


def _say(path: Path) -> None:
    print(f"wrote {path.relative_to(REPOSITORY)}", flush=True)  # noqa: T201  for people


if __name__ == "__main__":
    sys.exit(main())
