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


def test_what_is_published_is_audited_signed_and_has_its_provenance(steps: list[dict[str, Any]]) -> None:
    """All of it is about the digest that was pushed: a tag may be moved in between."""
    pushed = "steps.push.outputs.digest"
    (provenance,) = [step for step in steps if "attest-build-provenance" in step.get("uses", "")]
    (signing,) = [step for step in steps if "cosign sign" in step.get("run", "")]

    assert pushed in provenance["with"]["subject-digest"]
    assert pushed in signing["env"]["PUBLISHED"]
    assert "make audit" in [step.get("run") for step in steps]


def test_it_may_do_no_more_than_publish() -> None:
    """The one job reads the repository, writes packages and provenance, and gets an identity to sign with."""
    workflow = yaml.safe_load(WORKFLOW)

    assert [job["permissions"] for job in workflow["jobs"].values()] == [
        {"contents": "read", "packages": "write", "id-token": "write", "attestations": "write"}
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
