"""A cluster comes up in time, keeps to itself, and leaves nothing, however it ends."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.errors import AlreadyRunningError, LabError
from lab.naming import lab_name
from lab.network import LabNetwork
from lab.pins import CONTAINERD_2_4
from lab.places import Places
from lab.pods import Pod
from lab.remains import find_remains
from lab.shapes import cluster, runtime

pytestmark = pytest.mark.lab

_NAME = lab_name("cluster-life")
_START_SECONDS = 30.0
_TESTS = Path(__file__).parents[2]
#: What a kubelet and its friends would make or set on a machine that is their own.
_DIRECTORIES = (
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    "/etc/kubernetes",
    "/usr/libexec/kubernetes",
)
_SETTINGS = (
    *("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward"),
    *("net/netfilter/nf_conntrack_max", "net/ipv4/conf/all/route_localnet"),
)


@dataclass(frozen=True)
class _Machine:
    """What a cluster could leave on the machine outside of its own directories."""

    mounts: frozenset[str]
    directories: frozenset[str]
    settings: tuple[str, ...]


def _machine() -> _Machine:
    files = [Path("/proc/sys", setting) for setting in _SETTINGS]
    return _Machine(
        # The mount ids in front of each line are left out: they are handed out anew.
        mounts=frozenset(line.split(" ", 3)[3] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        directories=frozenset(directory for directory in _DIRECTORIES if Path(directory).exists()),
        settings=tuple(file.read_text() if file.exists() else "" for file in files),
    )


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Every test here ends with the machine as it was."""
    before = _machine()
    yield
    remains = find_remains(Places(_NAME))
    cluster.stop(_NAME)
    assert remains == []
    assert _machine() == before


def test_start_and_stop_in_time_leaving_nothing() -> None:
    """A start takes seconds, and touches nothing of the machine; a stop takes all with it, pods of the API too."""
    before = _machine()
    began = time.monotonic()
    with cluster.start(_NAME) as started:
        assert time.monotonic() - began < _START_SECONDS
        started.run(Pod("web"))
        assert _machine() == before
        assert f"interface {LabNetwork(_NAME).machine_interface}" in find_remains(Places(_NAME))

    assert find_remains(Places(_NAME)) == []


def test_killed_owner_leaves_remains_and_the_next_start_cleans(capfd: pytest.CaptureFixture[str]) -> None:
    """After SIGKILL of its owner the cluster runs on, abandoned; a start over it works and knows none of its pods."""
    command = [sys.executable, "-m", "lab", "start", "cluster", "--name", _NAME, "--foreground"]
    environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as owner:
        assert owner.stdout is not None
        kubeconfig = owner.stdout.readline().strip()
        found = cluster.attach(_NAME)
        assert kubeconfig == str(found.kubeconfig)
        found.run(Pod("web"))
        found.close()
        owner.kill()
    assert any("kubelet" in line for line in find_remains(Places(_NAME)))

    with cluster.start(_NAME) as again:
        assert again.kubectl("get", "pods", "--all-namespaces", "--output=name") == ""
        again.run(Pod("web"))
    assert "cleaning up after a dead lab" in capfd.readouterr().err


def test_stop_with_daemons_paused_and_dead() -> None:
    """Neither a hanging API server nor a missing kubelet keeps a cluster from being stopped."""
    with cluster.start(_NAME) as started:
        started.run(Pod("web"))
        started.pause_api_server()
        started.stop_kubelet()

    assert find_remains(Places(_NAME)) == []


def test_living_cluster_is_not_cleaned_away() -> None:
    """A second start of the same name, of either shape, is refused and harms nothing."""
    with cluster.start(_NAME) as started:
        with pytest.raises(AlreadyRunningError):
            cluster.start(_NAME)
        with pytest.raises(AlreadyRunningError):
            runtime.start(CONTAINERD_2_4, _NAME)
        started.run(Pod("undisturbed"))


@pytest.mark.alone_on_the_node
def test_failed_start_leaves_nothing() -> None:
    """When the wire cannot be laid, the runtime that ran already is stopped again."""
    network = LabNetwork(_NAME)
    subprocess.run(["ip", "link", "add", "in-the-way", "type", "veth", "peer", "name", "in-the-way-2"], check=True)
    try:
        subprocess.run(["ip", "address", "add", f"{network.machine_address}/30", "dev", "in-the-way"], check=True)
        with pytest.raises(LabError, match="is taken, choose another name"):
            cluster.start(_NAME)
    finally:
        subprocess.run(["ip", "link", "delete", "in-the-way"], check=True)
    assert find_remains(Places(_NAME)) == []


def test_attach_to_a_lab_that_is_no_cluster_is_refused() -> None:
    """The runtime alone has no kubeconfig."""
    with runtime.start(CONTAINERD_2_4, _NAME), pytest.raises(LabError, match="is no cluster"):
        cluster.attach(_NAME)
