"""The workflow that publishes the image and the Dockerfile that it builds speak of the same things."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOW = (REPOSITORY / ".github" / "workflows" / "release.yml").read_text()
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


@pytest.fixture
def steps() -> list[dict[str, Any]]:
    """Return the steps of its one job."""
    (job,) = yaml.safe_load(WORKFLOW)["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def test_it_gives_only_arguments_that_the_dockerfile_takes(steps: list[dict[str, Any]]) -> None:
    """One that is unknown would be dropped with a warning, and a release would say "unknown" of itself."""
    (build,) = [step for step in steps if "build-push-action" in step.get("uses", "")]
    given = {line.partition("=")[0] for line in build["with"]["build-args"].splitlines()}

    assert given == {"BUILD_IMAGE", "BASE_IMAGE", "VERSION", "REVISION", "CREATED"}
    assert given <= set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))


def test_it_calls_make_targets_that_exist(steps: list[dict[str, Any]]) -> None:
    """The list of contents is made as people make it."""
    targets = {target for step in steps for target in re.findall(r"^make (\w+)", step.get("run", ""), re.MULTILINE)}

    assert targets == {"sbom"}
    assert all(re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE) for target in targets)


def test_every_action_has_a_version(steps: list[dict[str, Any]]) -> None:
    """A branch could become anything between two releases."""
    used = [step["uses"] for step in steps if "uses" in step]

    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", one) for one in used)


def test_it_may_do_no_more_than_publish() -> None:
    """Nothing by default; the one job reads the repository, writes packages and gets an identity to sign with."""
    workflow = yaml.safe_load(WORKFLOW)

    assert workflow["permissions"] == {}
    assert [job["permissions"] for job in workflow["jobs"].values()] == [
        {"contents": "read", "packages": "write", "id-token": "write"}
    ]


def test_version_of_the_dockerfile_is_the_project_s() -> None:
    """Whoever builds it by hand gets a true label."""
    (version,) = re.findall(r'^version = "(.+)"$', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)

    assert f"ARG VERSION={version}\n" in DOCKERFILE


def test_dockerfile_sees_what_it_copies() -> None:
    """.dockerignore lets through what COPY names, and nothing else."""
    copied = {
        name for names in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for name in names.split()
    }

    assert {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[:1] == "!"} == copied
