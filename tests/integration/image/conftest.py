"""The image as the Dockerfile makes it, built once per content and kept."""

from functools import partial
from pathlib import Path

import pytest

from integration.image.archive import Archive
from lab.build.agent_image import AGENT_IMAGE, agent_image
from lab.build.cache import ensure
from lab.build.image_base import image_base
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

IMPORT_SECONDS = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs root and buildah, so that `make check` leaves it alone."""
    for item in items:
        if isinstance(item, pytest.Function) and "image_archive" in item.fixturenames:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def image_archive() -> Path:
    """Return the docker-archive of the image of this checkout."""
    return agent_image()


@pytest.fixture(scope="session")
def image(image_archive: Path) -> Archive:
    """Return what the archive holds."""
    return Archive.read(image_archive)


@pytest.fixture(scope="session")
def own_layers(image: Archive) -> tuple[str, ...]:
    """Return the layers above the base: what we are to answer for."""
    base = Archive.read(ensure(image_base()) / "runtime.tar")
    assert image.config["rootfs"]["diff_ids"][: len(base.layers)] == base.config["rootfs"]["diff_ids"]
    return image.layers[len(base.layers) :]


@pytest.fixture
def lab_with_image(lab: RuntimeLab, image_archive: Path) -> RuntimeLab:
    """A lab whose runtime has the image."""
    if not lab.client.has_image(AGENT_IMAGE):
        lab.ctr("images", "import", str(image_archive))
        wait_until(f"the CRI to know {AGENT_IMAGE}", partial(lab.client.has_image, AGENT_IMAGE), IMPORT_SECONDS)
    return lab
