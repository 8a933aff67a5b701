"""All sources, read in order into one Snapshot.

What only a real container shows (its processes in its cgroup) is tested on the lab's node, in tests/integration.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.settings import Settings
from pausewatch.sources.collector import Collector
from sources.cri.fake_runtime import FakeRuntime
from sources.cri.recorded import recorded_container, recorded_sandbox

WEB_CONTAINER = "a1c24b3c360c0bfd7e5eaef38feea5579dc21a650969922a7f7de267b4f10b35"


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


@pytest.mark.usefixtures("runtime")
def test_reads_runtime_and_processes(collector: Collector) -> None:
    """Both, with the namespaces of the process behind the socket as the node's: here our own."""
    snapshot = collector.collect()

    assert snapshot.node_name == "node-7"
    assert not isinstance(snapshot.sandboxes, Unavailable)
    assert [sandbox.name for sandbox in snapshot.sandboxes] == ["web"]
    assert not isinstance(snapshot.processes, Unavailable)
    assert os.getpid() in [process.pid for process in snapshot.processes]
    assert not isinstance(snapshot.host_links, Unavailable)
    assert f"net:[{snapshot.host_links.network}]" == str(Path("/proc/self/ns/net").readlink())


@pytest.mark.usefixtures("runtime")
def test_recorded_processes_do_not_exist_here(collector: Collector) -> None:
    """A pid that is gone, or another program's by now, is no first process to judge."""
    snapshot = collector.collect()

    assert not isinstance(snapshot.first_processes, Unavailable)
    assert not [first for first in snapshot.first_processes if first.in_own_cgroup]


def test_without_a_runtime_processes_are_still_read(collector: Collector) -> None:
    """And every section that needs the runtime says why it is missing, and what to do."""
    snapshot = collector.collect()

    assert not isinstance(snapshot.processes, Unavailable)
    for section in (snapshot.runtime, snapshot.sandboxes, snapshot.containers, snapshot.host_links):
        assert isinstance(section, Unavailable)
        assert section.reason == "SocketMissing"
        assert section.remedy
    socket = next(fact for fact in snapshot.access if fact.name == "runtime-socket")
    assert not socket.granted


@pytest.mark.usefixtures("runtime")
def test_nothing_changed_is_confirmed(collector: Collector) -> None:
    """The runtime still calls the container running."""
    snapshot = collector.collect()

    assert collector.confirm(snapshot, [WEB_CONTAINER]).changed_owners == ()


def test_container_that_stopped_meanwhile_has_changed(collector: Collector, runtime: FakeRuntime) -> None:
    """It was listed, and is not running when asked again."""
    snapshot = collector.collect()
    runtime.containers.clear()

    (changed,) = collector.confirm(snapshot, [WEB_CONTAINER]).changed_owners

    assert (changed.owner_id, changed.reason) == (WEB_CONTAINER, "is no longer running")


def test_runtime_that_hangs_confirms_nothing(collector: Collector, runtime: FakeRuntime) -> None:
    """A suspicion that nobody could confirm is none."""
    snapshot = collector.collect()
    runtime.hanging.add("ListContainers")

    (changed,) = collector.confirm(snapshot, [WEB_CONTAINER]).changed_owners

    assert changed.reason.startswith("could not be confirmed: ")
