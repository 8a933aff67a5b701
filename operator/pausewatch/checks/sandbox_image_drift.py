"""Running sandboxes were made from other images than the configured one."""

import shlex
from collections import Counter
from collections.abc import Mapping

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.sandbox_image import NamedImage, SandboxImage
from pausewatch.model.subject import Subject
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView

SANDBOX_IMAGE_DRIFT = "SandboxImageDrift"

IMAGES_TO_COMPARE = 3
"""For which a command is told; the others differ in nothing but their names."""


def run(node: NodeView, _: Thresholds) -> tuple[Observation, ...]:
    """Find ready sandboxes whose image is known to be another one: another name, and another id."""
    image = node.snapshot.sandbox_image
    # Without the id of the configured image nothing can be compared, and sandbox-image-missing tells of it.
    if isinstance(image, Unavailable) or not image.present or not image.others:
        return ()
    counts = _sandboxes_by_image(node)
    drifted = {one: counts[one.image] for one in image.others if one.id != image.id and counts[one.image]}
    return (_observe(image, drifted),) if drifted else ()


def _sandboxes_by_image(node: NodeView) -> Counter[str]:
    ready = (node.sandbox_details(one) for one in node.sandboxes.values() if one.state is SandboxState.READY)
    return Counter(details.image for details in ready if details is not None and details.image)


def _observe(image: SandboxImage, drifted: Mapping[NamedImage, int]) -> Observation:
    names = [shlex.quote(one) for one in (image.image, *(other.image for other in drifted))][:IMAGES_TO_COMPARE]
    return Observation(
        reason=SANDBOX_IMAGE_DRIFT,
        severity=Severity.INFO,
        subject=Subject(),
        message=(
            f"Ready sandboxes of the node ({at_least(sum(drifted.values()))}) were made from other images than the"
            f" configured {image.image}: they keep what they were made from until their pods are made anew"
        ),
        evidence=(
            Evidence(name="configuredImage", value=f"{image.image} ({image.id})"),
            Evidence(name="configuredImageToldBy", value=image.told_by),
            *(
                Evidence(name="otherImage", value=f"{one.image} ({one.id}): {at_least(count)} sandboxes")
                for one, count in drifted.items()
            ),
        ),
        next_commands=(
            NextCommand(run_on=RunOn.NODE, command="pausewatch inspect"),
            *(NextCommand(run_on=RunOn.NODE, command=f"crictl inspecti {name}") for name in names),
        ),
        rests_on=(),
    )


CHECK = Check(
    id="sandbox-image-drift",
    title="Sandboxes run other images than the configured one",
    reasons=(
        Reason(
            name=SANDBOX_IMAGE_DRIFT,
            severities=(Severity.INFO,),
            meaning="ready sandboxes were made from images that are not the configured one, by name and by id",
        ),
    ),
    needs=("sandbox_image", "sandboxes"),
    persistence=Persistence(looks=2, why="names and ids are read at different moments"),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
