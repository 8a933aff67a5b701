"""What every check owes its users: a page, tests, a name that says the problem."""

import re
from pathlib import Path

import pytest

from pausewatch.checks._check import Check, all_checks
from pausewatch.model.report import Severity
from pausewatch.model.snapshot import SECTIONS

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "operator" / "pausewatch" / "checks"
SECTIONS_OF_A_PAGE = (
    "Meaning",
    "Impact",
    "How it is decided",
    "Diagnosis",
    "Mitigation",
    "False positives",
    "References",
)
NAMES_OF_A_CURE = re.compile(r"^(no|bad|check|avoid|do-not|use|prefer)-")

HEALED_OTHERWISE = {
    "pid-limit-near": "the zombies go as those of zombie-buildup do; the other command raises the bound",
    "sandbox-churn": "its cause is mended, which no command of the page does",
    "sandbox-create-failing": "its cause is mended; the command keeps other pods away until then",
    "sandbox-image-drift": "nothing needs to be healed; draining a node needs another one",
}
"""Checks on whose page the commands of Mitigation do not clear the finding by themselves."""

each_check = pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.id)


def sections(page: str) -> dict[str, str]:
    """Split a page into its second-level sections."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


def cases_on_a_real_node(check: Check) -> str:
    """Return the text of a check's cases in the fault matrix."""
    file = f"test_{check.page.removesuffix('.md')}.py"
    paths = [REPOSITORY / "tests" / kind / "faults" / file for kind in ("integration", "e2e")]
    wanted = " or ".join(str(path.relative_to(REPOSITORY)) for path in paths)
    text = "".join(path.read_text() for path in paths if path.exists())
    assert text, f"{check.id} has no case on a real node: write {wanted}"
    return text


@each_check
def test_page_has_every_section_in_order(check: Check) -> None:
    """A runbook with an empty Diagnosis helps nobody."""
    path = FOLDER / check.page
    assert path.exists(), f"{check.id} has no page: write {path.relative_to(REPOSITORY)}"
    page = sections(path.read_text())

    assert tuple(page) == SECTIONS_OF_A_PAGE
    assert all(page.values()), f"empty: {[name for name, text in page.items() if not text]}"
    assert path.read_text().startswith(f"# {check.id}\n\n{check.title}.\n")


@each_check
def test_page_names_every_reason_and_threshold(check: Check) -> None:
    """The page must not promise other reasons, severities or defaults than the declaration."""
    page = (FOLDER / check.page).read_text()

    for reason in check.reasons:
        for severity in reason.severities:
            assert re.search(rf"^\| `{reason.name}` \| {severity.value} \|", page, re.MULTILINE), (reason, severity)
    for threshold in check.thresholds:
        row = f"| `{threshold.name}` | {threshold.default:g} | {threshold.unit} |"
        assert row in page, f"the page lacks the row: {row}"


@each_check
def test_declaration_is_complete(check: Check) -> None:
    """Settings, alerts and tables are derived from it."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", check.id)
    assert not NAMES_OF_A_CURE.match(check.id), "the id names the problem, not the cure"
    assert set(check.needs) <= set(SECTIONS)
    assert check.needs
    for reason in check.reasons:
        assert re.fullmatch(r"([A-Z][a-z]+|IP)+", reason.name)
        assert list(reason.severities) == sorted(reason.severities, key=lambda one: one.rank)
        assert all(isinstance(one, Severity) for one in reason.severities)
    for threshold in check.thresholds:
        assert threshold.default >= threshold.minimum
        assert threshold.why
    assert check.persistence.why
    lasting = check.persistence.seconds_threshold
    assert lasting in ("", *(one.name for one in check.thresholds if one.unit == "seconds"))


@each_check
def test_unit_test_shows_a_finding_and_silence(check: Check) -> None:
    """A check whose test never sees it fire, or never sees it silent, is untested."""
    path = REPOSITORY / "tests" / "checks" / f"test_{check.page.removesuffix('.md')}.py"
    assert path.exists(), f"{check.id} has no unit test: write {path.relative_to(REPOSITORY)}"
    text = path.read_text()

    for reason in check.reasons:
        assert reason.name in text, f"{path.name} never expects {reason.name}"
    assert "assert not " in text or "== ()" in text, f"{path.name} never expects silence"


@each_check
def test_case_on_a_real_node_makes_each_of_its_faults(check: Check) -> None:
    """What was never seen on a node that is really broken is a guess, and so is each of its reasons."""
    text = cases_on_a_real_node(check)

    missing = [reason.name for reason in check.reasons if not re.search(rf"\b{reason.name}\b", text)]
    assert not missing, f"no case of {check.id} expects {', '.join(missing)}"


@each_check
def test_page_is_typed_where_its_fault_is(check: Check) -> None:
    """A Diagnosis that shows something else, or a Mitigation that heals nothing, costs a night."""
    text = cases_on_a_real_node(check)

    assert re.search(r"\bdiagnose\(", text), f"no case of {check.id} types the Diagnosis of its page"
    heals = re.search(r"\bmitigation\(|\bis_the_mitigation\(", text) is not None
    assert heals != (check.id in HEALED_OTHERWISE), f"no case of {check.id} heals by the Mitigation of its page"


def test_reasons_and_ids_are_unique() -> None:
    """One vocabulary: a reason is also the suffix of an alert and the reason of an Event."""
    ids = [check.id for check in all_checks()]
    reasons = [reason.name for check in all_checks() for reason in check.reasons]

    assert len(set(ids)) == len(ids) > 0
    assert len(set(reasons)) == len(reasons)


def test_folder_holds_checks_and_pages_only() -> None:
    """A page without its check, or a helper module, does not belong there."""
    stems = {check.page.removesuffix(".md") for check in all_checks()}
    expected = {f"{stem}{suffix}" for stem in stems for suffix in (".py", ".md")} | {"__init__.py", "_check.py"}

    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == expected
