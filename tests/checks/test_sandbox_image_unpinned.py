"""The configured sandbox image is there and not pinned."""

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.sandbox_image_unpinned import CHECK, PINS_NOT_TOLD
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Observation, Severity
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot
from support.parts import PAUSE_IMAGE, a_sandbox_image


def run(snapshot: Snapshot) -> tuple[Observation, ...] | Unavailable:
    """Run the check."""
    return CHECK.run(a_node(snapshot), thresholds_of(CHECK, {}))


def test_healthy_node_is_silent() -> None:
    """The image is pinned."""
    assert run(a_snapshot()) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """What may happen, and where to see it."""
    found = run(a_snapshot(sandbox_image=a_sandbox_image(pinned=False)))

    assert not isinstance(found, Unavailable)
    (one,) = found
    assert (one.reason, one.severity, one.subject.is_node) == ("SandboxImageUnpinned", Severity.INFO, True)
    assert one.message == (
        f"The sandbox image {PAUSE_IMAGE} is on the node but not pinned: when the disk fills, the kubelet may remove"
        " it, and the next pod then depends on a pull"
    )
    assert {"imageID", "pinned"} < {evidence.name for evidence in one.evidence}
    assert [command.command for command in one.next_commands] == [f"crictl inspecti {PAUSE_IMAGE}"]


def test_missing_image_has_no_pin_to_judge() -> None:
    """One finding for one fault: sandbox-image-missing tells it."""
    assert run(a_snapshot(sandbox_image=a_sandbox_image(id="", pinned=None))) == ()


def test_runtime_that_tells_no_pins_is_not_judged() -> None:
    """A field that is never filled reads like false."""
    assert run(a_snapshot(sandbox_image=a_sandbox_image(pinned=None))) == PINS_NOT_TOLD
