"""What the README promises."""

import re
import subprocess
from pathlib import Path

import yaml

from contracts.render import SCHEMA
from pausewatch.checks._check import all_checks
from pausewatch.kubectl_plugin.fleet import HEADINGS

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()


def test_screens_are_of_this_program() -> None:
    """Drawn before columns or checks were added, they would show what nobody sees: `make pictures`."""
    assert re.search(rf"^\$ kubectl pausewatch\n{' +'.join(HEADINGS)}\n", README, re.MULTILINE)
    assert re.search(rf"^{len(all_checks())} checks: \d+ passed, ", README, re.MULTILINE)
    assert re.search(rf"^\$ kubectl get psr\nNAME +{' +'.join(_printed_columns())}\n", README, re.MULTILINE)


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


def _printed_columns() -> list[str]:
    """What ``kubectl get`` prints without ``--output=wide``, as it writes it."""
    columns = yaml.safe_load(SCHEMA.read_text())["spec"]["versions"][0]["additionalPrinterColumns"]
    return [column["name"].upper() for column in columns if not column.get("priority")]
