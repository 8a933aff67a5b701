"""The configured sandbox image is not pinned, so that image garbage collection may remove it."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView

SANDBOX_IMAGE_UNPINNED = "SandboxImageUnpinned"

PINS_NOT_TOLD = Unavailable(
    reason="PinsNotTold",
    detail="this runtime does not tell whether an image is pinned",
    remedy="containerd tells it since 1.6.22 and 1.7.3",
)


def run(node: NodeView, _: Thresholds) -> tuple[Observation, ...] | Unavailable:
    """Find a configured image that the runtime has and does not keep."""
    image = node.snapshot.sandbox_image
    # One that is missing has no pin to judge, and sandbox-image-missing tells of it.
    if isinstance(image, Unavailable) or not image.present:
        return ()
    if image.pinned is None:
        return PINS_NOT_TOLD
    return () if image.pinned else (_observe(image),)


def _observe(image: SandboxImage) -> Observation:
    return Observation(
        reason=SANDBOX_IMAGE_UNPINNED,
        severity=Severity.INFO,
        subject=Subject(),
        message=(
            f"The sandbox image {image.image} is on the node but not pinned: when the disk fills, the kubelet may"
            " remove it, and the next pod then depends on a pull"
        ),
        evidence=(
            Evidence(name="configuredImage", value=image.image),
            Evidence(name="configuredImageToldBy", value=image.told_by),
            Evidence(name="imageID", value=image.id),
            Evidence(name="pinned", value="false"),
        ),
        next_commands=(NextCommand(run_on=RunOn.NODE, command=f"crictl inspecti {shlex.quote(image.image)}"),),
        rests_on=(),
    )


CHECK = Check(
    id="sandbox-image-unpinned",
    title="Image garbage collection may remove the sandbox image",
    reasons=(
        Reason(
            name=SANDBOX_IMAGE_UNPINNED,
            severities=(Severity.INFO,),
            meaning="the runtime has the configured sandbox image and does not call it pinned",
        ),
    ),
    needs=("sandbox_image",),
    persistence=Persistence(looks=2, why="an image that is just being pulled gets its pin a moment later"),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
