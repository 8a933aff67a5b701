"""The configured sandbox image is not on the node, so that no pod can start without a pull."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.model.subject import Subject
from pausewatch.model.view import NodeView

SANDBOX_IMAGE_MISSING = "SandboxImageMissing"

FAILED_SANDBOXES = "kubectl get events --all-namespaces --field-selector reason=FailedCreatePodSandBox"


def run(node: NodeView, _: Thresholds) -> tuple[Observation, ...]:
    """Find a configured image that the runtime does not have."""
    image = node.snapshot.sandbox_image
    return () if isinstance(image, Unavailable) or image.present else (_observe(image),)


def _observe(image: SandboxImage) -> Observation:
    return Observation(
        reason=SANDBOX_IMAGE_MISSING,
        severity=Severity.WARNING,
        subject=Subject(),
        message=(
            f"The configured sandbox image {image.image} is not on the node: running pods go on, the next one can not"
            " start before the image is pulled"
        ),
        evidence=(
            Evidence(name="configuredImage", value=image.image),
            Evidence(name="configuredImageToldBy", value=image.told_by),
            Evidence(name="otherSandboxImages", value=", ".join(one.image for one in image.others) or "none"),
        ),
        next_commands=(
            NextCommand(run_on=RunOn.CLUSTER, command=FAILED_SANDBOXES),
            NextCommand(run_on=RunOn.NODE, command="crictl images"),
            NextCommand(run_on=RunOn.NODE, command=f"crictl pull {shlex.quote(image.image)}"),
        ),
        rests_on=(),
    )


CHECK = Check(
    id="sandbox-image-missing",
    title="The sandbox image is not on the node, and the next pod depends on a pull",
    reasons=(
        Reason(
            name=SANDBOX_IMAGE_MISSING,
            severities=(Severity.WARNING,),
            meaning="the runtime does not have the image that it makes every sandbox from",
        ),
    ),
    needs=("sandbox_image",),
    persistence=Persistence(
        looks=2,
        why="whoever replaces the image removes the old one first, and a node that starts its first pod is pulling it;"
        " the runtime is asked again in each scan while it is missing",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
