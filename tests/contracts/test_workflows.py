"""What holds of every workflow; tests/integration/workflows has them judged by actionlint."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.y*ml"))
MAKEFILE = (REPOSITORY / "Makefile").read_text()

MAY_WRITE = {"release.yml"}
"""Workflows whose jobs may write anything at all."""

each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


@each
def test_every_action_is_one_commit_and_says_which_version_that_is(path: Path) -> None:
    """A tag can be moved to other code between two runs (GitHub: Secure use reference, pin to a full-length commit)."""
    used = re.findall(r"^ *(?:- )?uses: (.*)$", path.read_text(), re.MULTILINE)

    assert used
    for one in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


def test_one_action_is_one_commit_everywhere() -> None:
    """Two versions of one action would be looked at once and updated once."""
    pairs = {tuple(one.split("@")) for path in WORKFLOWS for one in re.findall(r"uses: (\S+) #", path.read_text())}

    assert len({name for name, _ in pairs}) == len(pairs)


@each
def test_nothing_is_allowed_unless_a_job_says_so(path: Path) -> None:
    """A job without a list of its own would get what the repository grants by default."""
    workflow: dict[str, Any] = yaml.safe_load(path.read_text())

    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"]["contents"] == "read", name
        assert job["timeout-minutes"] <= 180, name
        if path.name not in MAY_WRITE:
            assert set(job["permissions"].values()) == {"read"}, name


@each
def test_the_token_does_not_stay_in_the_checkout(path: Path) -> None:
    """Everything that runs after it could read it in .git/config."""
    steps = [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@each
def test_it_calls_make_targets_that_exist(path: Path) -> None:
    """What a workflow does is done as people do it."""
    targets = re.findall(r"\bmake ([a-z]+)$", path.read_text(), re.MULTILINE)

    assert targets
    assert all(re.search(rf"^{target}:", MAKEFILE, re.MULTILINE) for target in targets)


def test_audit_fails_where_it_gets_no_answer() -> None:
    """Without --strict, a package that the service does not know, or a service that is away, counts as harmless."""
    (recipe,) = re.findall(r"^audit:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    (locks,) = re.findall(r"for lock in ([^;]+);", recipe)

    assert "--strict" in recipe
    assert "--require-hashes" in recipe
    assert sorted(locks.split()) == sorted(path.name for path in REPOSITORY.glob("requirements*.lock"))
