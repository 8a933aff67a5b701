"""All sources, read in order into one Snapshot.

What only a real container shows (its processes in its cgroup) is tested on the lab's node, in tests/integration.
"""

import os
import threading
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.settings import Settings
from pausewatch.sources.collector import Collector
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.details import HANGS
from pausewatch.sources.monitors import Monitors
from sources.collected import WEB_CONTAINER
from sources.cri.fake_runtime import FakeRuntime


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
def test_socket_below_a_root_is_connected_to(path: Path) -> None:
    """As in a pod, where the node's /run is somewhere else; people are told the node's path."""
    settings = Settings(runtime_endpoint=f"unix:///{path.name}", runtime_socket_root=str(path.parent))
    with Collector(settings) as collector:
        snapshot = collector.collect()

    assert not isinstance(snapshot.runtime, Unavailable)
    assert snapshot.runtime.endpoint == f"unix:///{path.name}"
    assert [fact.detail for fact in snapshot.access if fact.name == "runtime-socket"] == [
        f"unix:///{path.name} answers"
    ]


def test_reads_the_sandbox_image(runtime: FakeRuntime, collector: Collector) -> None:
    """What the runtime tells of it; the first scan after a restart of the runtime asks anew."""
    runtime.info = {"config": '{"sandboxImage": "localhost/pause:1"}'}
    runtime.images["localhost/pause:1"] = cri.Image(id="sha256:1", pinned=True)

    told = [collector.collect().sandbox_image for _ in range(2)]

    assert not isinstance(told[0], Unavailable)
    assert (told[0].image, told[0].id, told[0].pinned) == ("localhost/pause:1", "sha256:1", True)
    assert told[1] == told[0]
    assert (runtime.calls["Status"], runtime.calls["ImageStatus"]) == (1, 1)
    collector.close()
    collector.collect()
    assert runtime.calls["Status"] == 2


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
    assert [fact.name for fact in snapshot.access if not fact.granted] == ["runtime-socket"]


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

    assert (changed.owner_id, changed.reason, changed.is_known) == (WEB_CONTAINER, "is no longer running", True)


def test_runtime_that_hangs_confirms_nothing(collector: Collector, runtime: FakeRuntime) -> None:
    """Whether it changed is not known then."""
    snapshot = collector.collect()
    runtime.hanging.add("ListContainers")

    (changed,) = collector.confirm(snapshot, [WEB_CONTAINER]).changed_owners

    assert changed.reason.startswith("could not be confirmed: ")
    assert not changed.is_known


@pytest.mark.usefixtures("runtime")
def test_detail_that_hangs_is_left_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after it is read, and the section says why it is missing."""
    released = threading.Event()
    monkeypatch.setattr(Monitors, "read", lambda *_: released.wait(60))
    settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
    with Collector(settings, patience_seconds=1) as collector:
        snapshot = collector.collect()
        released.set()

    assert snapshot.monitors is HANGS
    assert not isinstance(snapshot.processes, Unavailable)
    assert snapshot.address_pools is not HANGS
