"""The configured sandbox image is not on the node."""

from pausewatch.checks.sandbox_image_missing import CHECK
from pausewatch.evaluate import evaluate
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Evidence, Observation, Outcome, Severity
from pausewatch.model.sandbox_image import NamedImage
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot
from support.observed import observed
from support.parts import PAUSE_IMAGE, a_sandbox_image, hex_id

OLD = NamedImage(image="localhost/pause:3.9", id=f"sha256:{hex_id('old')}")
WITHOUT = a_snapshot(sandbox_image=a_sandbox_image(id="", pinned=None, others=(OLD,)))


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check."""
    return observed(CHECK, a_node(snapshot))


def test_healthy_node_is_silent() -> None:
    """The image is there, pinned or not."""
    assert run(a_snapshot()) == ()
    assert run(a_snapshot(sandbox_image=a_sandbox_image(pinned=False))) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """The name, who told it, the consequence, and the pull that heals it."""
    (found,) = run(WITHOUT)

    assert (found.reason, found.severity, found.subject.is_node) == ("SandboxImageMissing", Severity.WARNING, True)
    assert found.message == (
        f"The configured sandbox image {PAUSE_IMAGE} is not on the node: running pods go on, the next one can not start"
        " before the image is pulled"
    )
    assert found.evidence == (
        Evidence(name="configuredImage", value=PAUSE_IMAGE),
        Evidence(name="configuredImageToldBy", value="the runtime's status"),
        Evidence(name="otherSandboxImages", value="localhost/pause:3.9"),
    )
    assert [one.command for one in found.next_commands][1:] == ["crictl images", f"crictl pull {PAUSE_IMAGE}"]


def test_name_in_commands_is_quoted() -> None:
    """Whoever writes the runtime's configuration must not write into our reader's shell."""
    (found,) = run(a_snapshot(sandbox_image=a_sandbox_image(image="x; reboot", id="", pinned=None)))

    assert found.next_commands[-1].command == "crictl pull 'x; reboot'"


def test_image_that_is_being_replaced_is_no_finding() -> None:
    """It is told when it is missing in two scans in a row."""
    history = History()
    counts = []
    for snapshot in (WITHOUT, a_snapshot(), a_snapshot(), WITHOUT, WITHOUT):
        report, history = evaluate(snapshot, history, Settings(), (CHECK,))
        counts.append(len(report.findings))

    assert counts == [0, 0, 0, 0, 1]


def test_unknown_image_is_skipped() -> None:
    """Where the runtime does not tell what is configured, nothing is missing."""
    untold = Unavailable(reason="SandboxImageNotTold", detail="not told")
    report, _ = evaluate(a_snapshot(sandbox_image=untold), History(), Settings(), (CHECK,))

    assert [(one.outcome, one.reason) for one in report.results] == [(Outcome.SKIP, "SandboxImageNotTold")]
