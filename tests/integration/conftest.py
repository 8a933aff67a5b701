"""A started lab for every test that asks for one, per version of containerd.

A lab that cannot start is an error of the test that wanted it, never a reason to skip it.
"""

from collections.abc import Iterator

import pytest

from lab import faults
from lab.naming import lab_name
from lab.pins import PAUSE_IMAGE, RUNTIME_VERSIONS
from lab.shapes import cluster as clusters
from lab.shapes import runtime
from lab.shapes.cluster import Cluster
from lab.shapes.runtime import RuntimeLab
from support.shared_node import ALONE, LIMIT_SECONDS, LONGEST_WAIT_SECONDS, node

__all__ = ["node"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the lab by what it asks for, so that nobody has to remember."""
    for item in items:
        if isinstance(item, pytest.Function) and {"runtime_lab", "running_cluster"} & {*item.fixturenames}:
            item.add_marker(pytest.mark.lab)
            if item.get_closest_marker("timeout") is None:
                alone = item.get_closest_marker(ALONE) is not None
                item.add_marker(pytest.mark.timeout(LONGEST_WAIT_SECONDS if alone else LIMIT_SECONDS))


@pytest.fixture(scope="session", params=sorted(RUNTIME_VERSIONS))
def runtime_lab(request: pytest.FixtureRequest) -> Iterator[RuntimeLab]:
    """One lab per version for the whole run. Ask for `lab` instead: it cleans up after each test."""
    version = RUNTIME_VERSIONS[request.param]
    with runtime.start(version, lab_name(version.name)) as lab:
        yield lab


@pytest.fixture
def lab(runtime_lab: RuntimeLab) -> Iterator[RuntimeLab]:
    """A lab without pods; what the test leaves in it, passed or failed, is gone before the next one."""
    yield runtime_lab
    faults.resume_runtime(runtime_lab)
    runtime_lab.remove_all_pods()
    if not runtime_lab.client.has_image(PAUSE_IMAGE):
        runtime_lab.import_images()


@pytest.fixture(scope="package")
def running_cluster() -> Iterator[Cluster]:
    """One cluster for the tests of this folder. Ask for `cluster` instead: it cleans up after each test."""
    with clusters.start(lab_name("cluster")) as started:
        yield started


@pytest.fixture
def cluster(running_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without pods, all daemons running; whatever a test does to those is undone before the next one."""
    yield running_cluster
    faults.resume_runtime(running_cluster.runtime)
    running_cluster.restore()
