"""All sources, read in order into one Snapshot.

What only a real container shows (its processes in its cgroup) is tested on the lab's node, in tests/integration.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod
from pausewatch.model.settings import Settings
from pausewatch.sources.collector import Collector
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.details import HANGS
from pausewatch.sources.monitors import Monitors
from sources.cri.fake_runtime import FakeRuntime

WEB_SANDBOX = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
WEB_UID = "2595976c-bc45-40c5-b56f-faaf68d2f9c4"
WEB_CONTAINER = "a1c24b3c360c0bfd7e5eaef38feea5579dc21a650969922a7f7de267b4f10b35"


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

    assert (changed.owner_id, changed.reason) == (WEB_CONTAINER, "is no longer running")


def test_runtime_that_hangs_confirms_nothing(collector: Collector, runtime: FakeRuntime) -> None:
    """A suspicion that nobody could confirm is none."""
    snapshot = collector.collect()
    runtime.hanging.add("ListContainers")

    (changed,) = collector.confirm(snapshot, [WEB_CONTAINER]).changed_owners

    assert changed.reason.startswith("could not be confirmed: ")


class Pods:
    """What an API server knows, as a watch shows it and as it answers at this moment."""

    def __init__(self, watched: tuple[Pod, ...] | Unavailable, *, gone: bool | Unavailable) -> None:
        self.watched = watched
        self.gone = gone
        self.asked: list[str] = []
        self.suspects: tuple[Pod, ...] = ()

    def read(self) -> tuple[Pod, ...] | Unavailable:
        """Return what was watched."""
        return self.watched

    def is_gone(self, pod: Pod) -> bool | Unavailable:
        """Answer now."""
        self.asked.append(pod.uid)
        return self.gone

    def waiting(self, suspects: tuple[Pod, ...]) -> tuple[WaitingPod, ...] | Unavailable:
        """Remember who was asked about."""
        self.suspects = suspects
        return ()


class TestConfirmingAnOrphan:
    """A sandbox whose pod the watch lacks."""

    def confirm(self, path: Path, pods: Pods, runtime: FakeRuntime | None = None) -> list[str]:
        """Read the node and confirm the sandbox; the runtime may lose it in between."""
        settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
        with Collector(settings, pods) as collector:
            snapshot = collector.collect()
            assert snapshot.pods == pods.watched
            if runtime is not None:
                runtime.sandboxes.clear()
            return [one.reason for one in collector.confirm(snapshot, [WEB_SANDBOX]).changed_owners]

    @pytest.mark.usefixtures("runtime")
    def test_stands_when_the_api_server_itself_says_so(self, path: Path) -> None:
        """Asked about exactly that uid."""
        pods = Pods((), gone=True)

        assert self.confirm(path, pods) == []
        assert pods.asked == [WEB_UID]

    @pytest.mark.usefixtures("runtime")
    def test_falls_when_the_watch_was_behind(self, path: Path) -> None:
        """The pod is there after all."""
        assert self.confirm(path, Pods((), gone=False)) == ["its pod is in the API"]

    @pytest.mark.usefixtures("runtime")
    def test_falls_when_the_api_server_does_not_answer(self, path: Path) -> None:
        """Unknown is not gone."""
        down = Unavailable(reason="ApiServerUnreachable", detail="connection refused")

        assert self.confirm(path, Pods((), gone=down)) == ["could not be confirmed: connection refused"]

    def test_falls_when_the_sandbox_is_gone_meanwhile(self, path: Path, runtime: FakeRuntime) -> None:
        """The kubelet has removed it: no need to ask the API server."""
        pods = Pods((), gone=True)

        assert self.confirm(path, pods, runtime) == ["is not ready"]
        assert pods.asked == []

    @pytest.mark.usefixtures("runtime")
    def test_is_not_asked_for_a_pod_that_is_watched(self, path: Path) -> None:
        """Another suspicion about its sandbox costs the API server nothing."""
        watched = Pod(namespace="default", name="web", uid=WEB_UID, deletion_grace_seconds=None)
        pods = Pods((watched,), gone=True)

        assert self.confirm(path, pods) == []
        assert pods.asked == []

    @pytest.mark.usefixtures("runtime")
    def test_is_not_asked_while_no_pods_are_known(self, path: Path) -> None:
        """An agent that starts without API server must see what is wrong on its node all the same."""
        down = Unavailable(reason="ApiServerUnreachable", detail="connection refused")
        pods = Pods(down, gone=down)

        assert self.confirm(path, pods) == []
        assert pods.asked == []


class TestPodsWithoutSandbox:
    """Pods that the API server knows, and the runtime has no ready sandbox of."""

    WEB = Pod(namespace="default", name="web", uid=WEB_UID, deletion_grace_seconds=None)
    NEW = Pod(namespace="default", name="new", uid="new", deletion_grace_seconds=None)
    ENDING = Pod(namespace="default", name="ending", uid="ending", deletion_grace_seconds=30)

    def suspects(self, path: Path, *watched: Pod) -> tuple[Pod, ...]:
        """Read the node, and return whom the API server was asked about."""
        settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
        pods = Pods(watched, gone=False)
        with Collector(settings, pods) as collector:
            assert collector.collect().waiting_pods == ()
        return pods.suspects

    @pytest.mark.usefixtures("runtime")
    def test_are_asked_about_unless_they_are_deleted(self, path: Path) -> None:
        """A pod that ends needs no sandbox; one that has it waits for nothing."""
        assert self.suspects(path, self.WEB, self.NEW, self.ENDING) == (self.NEW,)

    def test_those_that_never_had_a_container_come_first(self, path: Path, runtime: FakeRuntime) -> None:
        """Those that had one have mostly run to their end."""
        listed, told = runtime.sandboxes[WEB_SANDBOX]
        listed.state = told.status.state = cri.SANDBOX_NOTREADY

        assert self.suspects(path, self.WEB, self.NEW) == (self.NEW, self.WEB)

    def test_are_unknown_without_runtime(self, path: Path) -> None:
        """It would seem as if no pod had a sandbox."""
        pods = Pods((self.WEB,), gone=False)
        settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
        with Collector(settings, pods) as collector:
            snapshot = collector.collect()

        assert snapshot.pods == (self.WEB,)
        assert snapshot.waiting_pods == snapshot.sandboxes
        assert isinstance(snapshot.waiting_pods, Unavailable)
        assert pods.suspects == ()


SEEN_FROM_ELSEWHERE = """
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import DETAIL_SECTIONS
from sources.test_collector import Collector, Pods, TestPodsWithoutSandbox, Unavailable, WEB_SANDBOX

pods = Pods((TestPodsWithoutSandbox.NEW,), gone=True)
with Collector(Settings(runtime_endpoint="unix://{path}", runtime_timeout_seconds=0.5), pods) as collector:
    snapshot = collector.collect()
    assert snapshot.first_processes.reason == "RuntimeInOtherPidNamespace", snapshot.first_processes
    for section in DETAIL_SECTIONS:
        assert isinstance(getattr(snapshot, section), Unavailable), section
    assert [sandbox.id for sandbox in snapshot.sandboxes] == [WEB_SANDBOX]
    assert not isinstance(snapshot.containers, Unavailable)
    assert snapshot.pods == pods.suspects == pods.watched
    assert collector.confirm(snapshot, [WEB_SANDBOX]).changed_owners == ()
"""


RUNTIME_INSIDE = """
import sys
from sources.cri.fake_runtime import FakeRuntime, Path
from sources.cri.recorded import recorded_sandbox

with FakeRuntime(Path("{path}")) as runtime:
    runtime.add_sandbox(*recorded_sandbox("containerd-2.4/web"))
    runtime.info = {{"cniconfig": '{{"PluginConfDir": "{networks}"}}'}}
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.root
def test_runtime_in_a_pid_namespace_below_ours(path: Path, collector: Collector) -> None:
    """A node of kind, seen from its host: what needs no pid of its runtime is read, through its process's root."""
    ranges = [[{"subnet": "10.1.0.0/29"}]]
    network = {"type": "bridge", "ipam": {"type": "host-local", "dataDir": str(path.parent), "ranges": ranges}}
    (path.parent / "10-web.conflist").write_text(json.dumps({"name": "web", "plugins": [network]}))
    script = RUNTIME_INSIDE.format(path=path, networks=path.parent)
    with subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as runtime:
        assert runtime.stdout is not None
        assert runtime.stdout.readline() == "ready\n"
        snapshot = collector.collect()
        runtime.kill()

    for section in ("first_processes", "host_links", "monitors", "pod_networks", "network_pins", "pid_limits"):
        unread = getattr(snapshot, section)
        assert isinstance(unread, Unavailable), section
        assert unread.reason == "RuntimeInOtherPidNamespace", section
    assert not isinstance(snapshot.memberships, Unavailable)
    assert not isinstance(snapshot.address_pools, Unavailable), snapshot.address_pools
    assert [pool.network for pool in snapshot.address_pools] == ["web"]


@pytest.mark.root
@pytest.mark.usefixtures("runtime")
def test_runtime_in_another_pid_namespace_leaves_sandboxes_and_pods(path: Path) -> None:
    """As beside a node of kind: sandboxes are compared with pods all the same, processes with nothing."""
    done = subprocess.run(
        ["unshare", "--pid", "--fork", sys.executable, "-c", SEEN_FROM_ELSEWHERE.format(path=path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 0, done.stderr


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
