"""Sandboxes that run were made from another image than the one that is configured now."""

import json
from collections.abc import Iterator

import pytest

from integration.faults.conftest import StartCase
from integration.support.fault_case import type_on_the_node
from integration.support.observer import Observer
from integration.support.program import Program
from integration.support.runbook import diagnose
from integration.support.sandbox_image import import_other_image, lab_of_its_own, use_other_image
from lab.pins import OTHER_PAUSE_IMAGE, PAUSE_IMAGE, RUNTIME_VERSIONS
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab

pytestmark = pytest.mark.lab


@pytest.fixture(params=sorted(RUNTIME_VERSIONS))
def lab(request: pytest.FixtureRequest) -> Iterator[RuntimeLab]:
    """A lab of the test's own: its runtime is killed and started with another configuration."""
    with lab_of_its_own(request.param) as started:
        yield started


def test_runtime_was_told_to_use_another_image(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The pod from before keeps the old image until it is made anew; ids prove that it is another one."""
    old = lab.run(Pod("old"))
    import_other_image(lab)
    case = start_case("sandbox-image-drift")
    use_other_image(lab, old)
    # containerd 2 tells what is configured by the sandboxes that it makes.
    new = lab.run(Pod("new"))
    made_from = [lab.client.sandbox_info(one.sandbox_id)["image"] for one in (old, new)]
    assert made_from == [PAUSE_IMAGE, OTHER_PAUSE_IMAGE]

    finding = case.found()

    assert (finding.reason, finding.subject.is_node) == ("SandboxImageDrift", True)
    assert f"(1) were made from other images than the configured {OTHER_PAUSE_IMAGE}" in finding.message
    tree, *images = type_on_the_node(program, finding)
    assert PAUSE_IMAGE in tree
    assert OTHER_PAUSE_IMAGE in tree
    shown = diagnose(program, "sandbox-image-drift", image=PAUSE_IMAGE)
    assert OTHER_PAUSE_IMAGE in shown
    assert f'"{PAUSE_IMAGE}"' in shown
    configured, other = (json.loads(image)["status"] for image in images)
    assert (configured["repoTags"], other["repoTags"]) == ([OTHER_PAUSE_IMAGE], [PAUSE_IMAGE])
    assert configured["id"] != other["id"]
    assert all(image["id"] in " ".join(one.value for one in finding.evidence) for image in (configured, other))

    lab.remove(old)
    lab.run(Pod("old"))
    case.cleared()


def test_second_name_of_the_image_is_no_drift(lab: RuntimeLab) -> None:
    """The configured name is another one, the image is the same."""
    old = lab.run(Pod("old"))
    lab.ctr("images", "tag", PAUSE_IMAGE, OTHER_PAUSE_IMAGE)
    use_other_image(lab, old)
    lab.run(Pod("new"))

    with Observer(lab) as observer:
        looks = [observer.look() for _ in range(4)]

    told = looks[-1].snapshot.sandbox_image
    assert getattr(told, "image", told) == OTHER_PAUSE_IMAGE
    assert [one for look in looks for one in look.report.findings if one.check == "sandbox-image-drift"] == []
