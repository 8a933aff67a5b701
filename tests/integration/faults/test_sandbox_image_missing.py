"""The image that every sandbox is made from is not on the node."""

import pytest

from integration.faults.conftest import StartCase
from integration.support.fault_case import on_the_node, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, mitigation
from lab import faults
from lab.cri.client import CallError
from lab.pins import PAUSE_IMAGE
from lab.pods import Pod
from lab.registry import serving
from lab.shapes.runtime import RuntimeLab


def test_image_was_removed(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Running pods go on, the next one fails; the pull that the finding names heals it."""
    steady = lab.run(Pod("steady"))
    case = start_case("sandbox-image-missing")
    faults.sandbox_image_removed(lab)
    with pytest.raises(CallError, match="failed to pull image"):
        lab.run(Pod("next"))
    assert steady.pause_pid()

    finding = case.found()

    assert (finding.reason, finding.subject.is_node) == ("SandboxImageMissing", True)
    assert f"The configured sandbox image {PAUSE_IMAGE} is not on the node" in finding.message
    assert PAUSE_IMAGE.rpartition(":")[0] not in diagnose(program, "sandbox-image-missing")
    pull, *_ = mitigation("sandbox-image-missing", image=PAUSE_IMAGE)
    assert on_the_node(finding)[-1] == pull
    with serving(lab, "pause.tar"):
        listed, pulled = type_on_the_node(program, finding)
    assert PAUSE_IMAGE.rpartition(":")[0] not in listed
    assert "Image is up to date" in pulled

    case.cleared()
    lab.run(Pod("next"))


def test_image_is_brought_as_a_file(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Without a registry the pull fails and says so; the two commands of the page heal as well."""
    _, take, bring = mitigation("sandbox-image-missing", image=PAUSE_IMAGE)
    containerd = program.within(CONTAINERD_ADDRESS=str(lab.places.socket))
    # A pull while pods run fetches no layer that is unpacked already, and an export needs all of them.
    lab.import_images()
    containerd.shell(f"cd {program.directory} && {take}")
    lab.run(Pod("steady"))
    case = start_case("sandbox-image-missing")
    faults.sandbox_image_removed(lab)

    finding = case.found()

    assert "SandboxImageMissing" in program.run("scan", "--fail-on", "warning", expect=10)
    pull = on_the_node(finding)[-1]
    assert "failed to pull" in program.shell(f"{pull} 2>&1; test $? -eq 1")
    containerd.shell(f"cd {program.directory} && {bring}")
    case.cleared()
