"""What the README promises."""

import re
import subprocess
from pathlib import Path

from contracts.render import AFTER_CHECKS, BEFORE_CHECKS, SCREENS, row_of_check
from pausewatch.checks._check import all_checks
from pausewatch.kubectl_plugin.fleet import HEADINGS

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()


def test_table_of_checks_has_its_marks() -> None:
    """Without them the table would be rendered nowhere; test_rendered.py holds it to the declarations."""
    assert README.count(BEFORE_CHECKS) == README.count(AFTER_CHECKS) == 1
    assert all(row_of_check(check) in README for check in all_checks())


def test_screens_have_their_marks() -> None:
    """Without them a screen would be whatever somebody pasted once; test_rendered.py holds it to the last real run."""
    assert all(README.count(f"<!-- {name} -->") == README.count(f"<!-- /{name} -->") == 1 for name in SCREENS)


def test_screens_are_of_this_program() -> None:
    """Drawn before columns or checks were added, they would show what nobody sees: `make pictures`."""
    assert re.search(rf"^\$ kubectl pausewatch\n{' +'.join(HEADINGS)}\n", README, re.MULTILINE)
    assert re.search(rf"^{len(all_checks())} checks: \d+ passed, ", README, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    """Every relative link of every Markdown page names a file that is there."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    broken = [
        f"{page}: {target}"
        for page in listed.stdout.split()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (REPOSITORY / page).read_text())
        if not ((REPOSITORY / page).parent / target).exists()
    ]

    assert not broken


def test_make_targets_exist() -> None:
    """The commands that the README names."""
    makefile = (REPOSITORY / "Makefile").read_text()

    for target in re.findall(r"make (demo|test|check|image|pictures)\b", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
