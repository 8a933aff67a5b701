"""What the README promises."""

import re
import subprocess
from pathlib import Path

from pausewatch.checks._check import Check, all_checks

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()


def row(check: Check) -> str:
    """Return a check's row of the table."""
    reasons = ", ".join(
        f"{reason.name} ({', '.join(severity.value for severity in reason.severities)})" for reason in check.reasons
    )
    return f"| [{check.id}](operator/pausewatch/checks/{check.page}) | {reasons} | {check.title} |"


def test_table_of_checks_is_what_the_checks_declare() -> None:
    """A table kept by hand goes wrong with the first check that is added."""
    table = re.search(r"<!-- checks -->\n(.*?)\n<!-- /checks -->", README, re.DOTALL)
    expected = ["| check | reasons (severity) | title |", "|---|---|---|", *(row(check) for check in all_checks())]

    assert table is not None
    assert table.group(1).splitlines() == expected


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

    for target in re.findall(r"make (demo|test|check)\b", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
