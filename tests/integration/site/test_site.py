"""The site as ``make docs`` builds it: every page is there, and what a finding or an alert calls its runbook is one."""

import subprocess
from pathlib import Path

import pytest
import yaml

from contracts.alert_rules import agent_rules
from pausewatch.checks._check import all_checks
from pausewatch.sinks.report import RUNBOOK_URL

SECONDS = 300.0
"""It takes eight of work and some for the package index, from which it installs mkdocs; a busy machine takes more."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(SECONDS + 60)]

REPOSITORY = Path(__file__).parents[3]
DOCS = REPOSITORY / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. It is built strictly: links and anchors that lead nowhere fail."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        ["make", "docs", f"SITE={folder}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return folder


def test_every_page_is_there(site: Path) -> None:
    """The navigation is what lies in docs/, and the README is the front page."""
    pages = [path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")]
    assert len(pages) > 10

    assert [str(page) for page in pages if not (site / page / "index.html").is_file()] == []
    front = (site / "index.html").read_text(encoding="utf-8")
    assert "It only reads the node" in front
    assert [str(page) for page in pages if len(page.parts) == 1 and f'href="{page}/"' not in front] == []


def test_runbook_urls_lead_to_pages(site: Path) -> None:
    """A person with a finding or an alert follows one of these, and nothing else."""
    home = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8").partition("theme:")[0])["site_url"]
    urls = [RUNBOOK_URL.format(check=check.id) for check in all_checks()]
    urls += [rule.runbook_url for rule in agent_rules()]

    assert [url for url in urls if not url.startswith(home)] == []
    assert [url for url in urls if not (site / url.removeprefix(home) / "index.html").is_file()] == []


def test_pictures_are_there(site: Path) -> None:
    """The README's are found from the front page, where it stands one directory higher."""
    front = (site / "index.html").read_text(encoding="utf-8")

    assert 'src="pictures/inspect.svg"' in front
    assert (site / "pictures" / "inspect.svg").read_bytes() == (DOCS / "pictures" / "inspect.svg").read_bytes()
