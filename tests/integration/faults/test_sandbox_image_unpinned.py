"""The configured sandbox image is on the node, and nothing keeps image garbage collection away from it."""

import json
from collections.abc import Iterator

import pytest

from integration.faults.conftest import StartCase
from integration.support.fault_case import type_on_the_node
from integration.support.observer import Observer
from integration.support.program import Program
from integration.support.runbook import diagnose, mitigation
from integration.support.sandbox_image import import_other_image, lab_of_its_own, use_other_image
from lab.pins import CONTAINERD_2_4, OTHER_PAUSE_IMAGE, PAUSE_IMAGE
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Outcome

pytestmark = pytest.mark.lab

SHORT_NAME, WHOLE_NAME = "pause:2", "docker.io/library/pause:2"

#: Of `ctr images label`: what the mitigation without a registry sets.
PINNED = "io.cri-containerd.pinned=pinned"


@pytest.fixture(params=[CONTAINERD_2_4.name])
def lab(request: pytest.FixtureRequest) -> Iterator[RuntimeLab]:
    """A lab of the test's own: its runtime is killed and started with another configuration."""
    with lab_of_its_own(request.param) as started:
        yield started


def test_configured_name_is_not_the_whole_name(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """containerd pins by comparing names, and finds the image by a short one as well: so nothing is pinned."""
    old = lab.run(Pod("old"))
    import_other_image(lab)
    lab.ctr("images", "tag", OTHER_PAUSE_IMAGE, WHOLE_NAME)
    lab.ctr("images", "rm", OTHER_PAUSE_IMAGE)
    case = start_case("sandbox-image-unpinned")
    use_other_image(lab, old, SHORT_NAME)
    lab.run(Pod("new"))

    finding = case.found()

    assert (finding.reason, finding.subject.is_node) == ("SandboxImageUnpinned", True)
    assert f"The sandbox image {SHORT_NAME} is on the node but not pinned" in finding.message
    (status,) = type_on_the_node(program, finding)
    assert json.loads(status)["status"]["pinned"] is False
    assert json.loads(status)["status"]["repoTags"] == [WHOLE_NAME]

    assert '"pinned": false' in diagnose(program, "sandbox-image-unpinned", image=SHORT_NAME)

    containerd = program.within(CONTAINERD_ADDRESS=str(lab.places.socket))
    (label,) = mitigation("sandbox-image-unpinned", whole_name=WHOLE_NAME)
    containerd.shell(label)
    lab.remove(old)
    case.cleared()
    assert json.loads(program.shell(f"crictl inspecti {SHORT_NAME}"))["status"]["pinned"] is True


@pytest.mark.parametrize("lab", ["containerd-1.6"], indirect=True)
def test_runtime_that_never_pins_is_not_judged(lab: RuntimeLab, program: Program) -> None:
    """containerd 1.6.20 calls no image pinned, whatever its labels say."""
    lab.ctr("images", "label", PAUSE_IMAGE, PINNED)
    assert json.loads(program.shell(f"crictl inspecti {PAUSE_IMAGE}"))["status"]["pinned"] is False

    with Observer(lab) as observer:
        report = observer.look().report

    (unpinned,) = [one for one in report.results if one.check == "sandbox-image-unpinned"]
    assert (unpinned.outcome, unpinned.reason) == (Outcome.SKIP, "PinsNotTold")
