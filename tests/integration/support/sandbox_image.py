"""A lab whose runtime is told to use another sandbox image, as an upgrade of a node does.

Only for a lab of the test's own, which is stopped afterwards: see `integration.support.restart`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from integration.support.restart import kill_runtime, shim_of, start_runtime_again
from lab.naming import lab_name
from lab.pins import OTHER_PAUSE_IMAGE, PAUSE_IMAGE, RUNTIME_VERSIONS
from lab.pods import RunningPod
from lab.shapes import runtime
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

OTHER_ARCHIVE = "other-pause.tar"


@contextmanager
def lab_of_its_own(version: str) -> Iterator[RuntimeLab]:
    """A lab that may be broken for good; it is stopped in the end."""
    with runtime.start(RUNTIME_VERSIONS[version], lab_name(f"{version}-image")) as lab:
        yield lab


def import_other_image(lab: RuntimeLab) -> None:
    """Bring the other pause image to the node while it is an image like any other."""
    lab.ctr("images", "import", str(lab.programs.images / OTHER_ARCHIVE))
    wait_until("the CRI to know the other pause image", lambda: lab.client.has_image(OTHER_PAUSE_IMAGE), 15)


def use_other_image(lab: RuntimeLab, survivor: RunningPod, name: str = OTHER_PAUSE_IMAGE) -> None:
    """Configure the other pause image and start the runtime again; pods run on.

    Args:
        lab: Whose runtime is told.
        survivor: A pod that runs meanwhile.
        name: What the image is called in the configuration.
    """
    shim = shim_of(survivor)
    config = lab.places.run / "config.toml"
    kill_runtime(lab)
    config.write_text(config.read_text().replace(PAUSE_IMAGE, name))
    start_runtime_again(lab, shim)
