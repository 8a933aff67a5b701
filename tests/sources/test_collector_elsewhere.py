"""A runtime in another PID namespace: its numbers of processes are not ours."""

import json
import subprocess
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.collector import Collector
from sources.procfs.living import environment, python, running

SEEN_FROM_ELSEWHERE = """
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import DETAIL_SECTIONS
from pausewatch.sources.collector import Collector
from sources.collected import Pods, WEB_SANDBOX

new = Pod(namespace="default", name="new", uid="new", deletion_grace_seconds=None)
pods = Pods((new,), gone=True)
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
    with running("unshare", "--pid", "--fork", "--kill-child", *python(script)):
        snapshot = collector.collect()

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
        ["unshare", "--pid", "--fork", *python(SEEN_FROM_ELSEWHERE.format(path=path))],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 0, done.stderr
