"""A container runtime in a thread, for every test that reads one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pausewatch.model.settings import Settings
from pausewatch.sources.collector import Collector
from sources.cri.fake_runtime import FakeRuntime
from sources.cri.recorded import recorded_container, recorded_sandbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the runtime of a test listens."""
    return tmp_path / "s"


@pytest.fixture
def runtime(path: Path) -> Iterator[FakeRuntime]:
    """Run a runtime with one pod of one container."""
    with FakeRuntime(path) as running:
        running.add_sandbox(*recorded_sandbox("containerd-2.4/web"))
        running.add_container(*recorded_container("containerd-2.4/web"))
        yield running


@pytest.fixture
def collector(path: Path) -> Iterator[Collector]:
    """Return a collector of a node with a name."""
    settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
    with Collector(settings) as made:
        yield made
