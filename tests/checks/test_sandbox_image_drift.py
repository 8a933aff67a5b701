"""Ready sandboxes were made from other images than the configured one."""

from pausewatch.checks.sandbox_image_drift import CHECK
from pausewatch.model.report import Observation, Severity
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.sandbox_image import NamedImage
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot
from support.changes import with_sandbox
from support.observed import observed
from support.parts import PAUSE_IMAGE, SHARED_SANDBOX_ID, WEB_SANDBOX_ID, a_sandbox_image, hex_id

OLD_NAME = "localhost/pause:3.9"
OLD = NamedImage(image=OLD_NAME, id=f"sha256:{hex_id(OLD_NAME)}")
DRIFTED = with_sandbox(a_snapshot(sandbox_image=a_sandbox_image(others=(OLD,))), WEB_SANDBOX_ID, image=OLD_NAME)


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check."""
    return observed(CHECK, a_node(snapshot))


def test_healthy_node_is_silent() -> None:
    """Every sandbox was made from the configured image."""
    assert run(a_snapshot()) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """How many, both names with their ids, and how to compare them by hand."""
    (found,) = run(DRIFTED)

    assert (found.reason, found.severity, found.subject.is_node) == ("SandboxImageDrift", Severity.INFO, True)
    assert found.message == (
        f"Ready sandboxes of the node (1) were made from other images than the configured {PAUSE_IMAGE}: they keep what"
        " they were made from until their pods are made anew"
    )
    assert f"{OLD_NAME} ({OLD.id}): 1 sandboxes" in [one.value for one in found.evidence]
    assert [one.command for one in found.next_commands] == [
        "pausewatch inspect",
        f"crictl inspecti {PAUSE_IMAGE}",
        f"crictl inspecti {OLD_NAME}",
    ]


def test_another_name_of_the_same_image_is_no_drift() -> None:
    """A mirror's prefix or a second tag changes nothing."""
    same = NamedImage(image=OLD_NAME, id=f"sha256:{hex_id(PAUSE_IMAGE)}")
    snapshot = a_snapshot(sandbox_image=a_sandbox_image(others=(same,)))

    assert run(with_sandbox(snapshot, WEB_SANDBOX_ID, image=OLD_NAME)) == ()


def test_what_can_not_be_compared_is_not_judged() -> None:
    """An image that is gone, be it the old or the configured one, has no id."""
    without_old = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, image=OLD_NAME)
    without_configured = a_sandbox_image(id="", pinned=None, others=(OLD,))
    snapshot = with_sandbox(a_snapshot(sandbox_image=without_configured), WEB_SANDBOX_ID, image=OLD_NAME)

    assert run(without_old) == ()
    assert run(snapshot) == ()


def test_ended_sandboxes_do_not_count() -> None:
    """Nothing runs in them."""
    ended = with_sandbox(DRIFTED, WEB_SANDBOX_ID, state=SandboxState.NOTREADY)

    assert run(ended) == ()
    assert len(run(with_sandbox(ended, SHARED_SANDBOX_ID, image=OLD_NAME))) == 1
