"""A lab comes up in time, keeps to itself, and leaves nothing, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab import faults
from lab.__main__ import main
from lab.cgroups import hierarchies
from lab.errors import AlreadyRunningError, LabError
from lab.naming import lab_name
from lab.network import LabNetwork
from lab.pins import CONTAINERD_1_6, CONTAINERD_2_4, RUNTIME_VERSIONS, RuntimeVersion
from lab.places import Places
from lab.pods import Pod
from lab.processes import all_pids, linux_namespace
from lab.remains import find_remains
from lab.shapes import runtime

pytestmark = pytest.mark.lab

_NAME = lab_name("lifecycle")
_START_SECONDS = 30.0
_TESTS = Path(__file__).parents[2]


@dataclass(frozen=True)
class _Machine:
    """What a lab could leave on the machine outside its own directories."""

    mounts: frozenset[str]
    links: frozenset[str]
    pinned: frozenset[str]
    cgroups: frozenset[str]
    directories: frozenset[str]


def _machine() -> _Machine:
    links = subprocess.run(["ip", "-o", "link"], check=True, capture_output=True, text=True).stdout
    run_netns = Path("/run/netns")
    roots = [hierarchy.mount_point / "pausewatch-lab" for hierarchy in hierarchies()]
    wanted = (
        "/opt/containerd",
        "/opt/cni",
        "/etc/cni",
        "/var/lib/cni",
        "/run/containerd",
        "/var/lib/containerd",
        "/run/nri",
    )
    return _Machine(
        # The mount ids in front of each line are left out: they are handed out anew.
        mounts=frozenset(line.split(" ", 3)[3] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        links=frozenset(line for line in links.splitlines() if not _is_another_labs(line.split()[1])),
        pinned=frozenset(entry.name for entry in run_netns.iterdir()) if run_netns.is_dir() else frozenset(),
        cgroups=frozenset(str(directory) for root in roots for directory in root.glob(f"{_NAME}*")),
        directories=frozenset(directory for directory in wanted if Path(directory).exists()),
    )


def _is_another_labs(link: str) -> bool:
    """Whether an interface is the wire of a lab that is not ours: it may come and go while we look."""
    ours = {LabNetwork(name).machine_interface for name in (_NAME, f"{_NAME}-2")}
    name = link.rstrip(":").partition("@")[0]  # "pwlab-c6353b39@if2:"
    return name.startswith("pwlab-") and name not in ours


@pytest.fixture(params=sorted(RUNTIME_VERSIONS))
def version(request: pytest.FixtureRequest) -> RuntimeVersion:
    """Each version in turn."""
    return RUNTIME_VERSIONS[request.param]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Every test here ends with the machine as it was."""
    before = _machine()
    yield
    for name in (_NAME, f"{_NAME}-2"):
        remains = find_remains(Places(name))
        runtime.stop(name)
        assert remains == []
    assert _machine() == before


@pytest.fixture
def foreground(version: RuntimeVersion) -> Iterator["subprocess.Popen[str]"]:
    """A lab that belongs to another process, `python -m lab start --foreground`, up and with one pod."""
    command = [sys.executable, "-m", "lab", "start", version.name, "--name", _NAME, "--foreground"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(_TESTS)}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("unix://")
        lab = runtime.attach(_NAME)
        lab.run(Pod("web"))
        lab.client.close()
        yield process
        process.kill()


def test_start_and_stop_in_time_leaving_nothing(version: RuntimeVersion) -> None:
    """A start takes seconds; a stop takes processes, namespaces, cgroups and directories with it."""
    began = time.monotonic()
    with runtime.start(version, _NAME) as lab:
        assert time.monotonic() - began < _START_SECONDS
        running = lab.run(Pod("web"))
        networks = {linux_namespace(pid, "net") for pid in (lab.containerd.pid, running.pause_pid())}
        assert linux_namespace(os.getpid(), "net") not in networks
        assert any(line.startswith("process ") for line in find_remains(lab.places))

    assert find_remains(lab.places) == []
    assert not networks & {_network(pid) for pid in all_pids()}


def test_socket_is_reached_from_outside(version: RuntimeVersion) -> None:
    """The endpoint is a path of the machine, short enough for a socket; the lab's /run is its own."""
    with runtime.start(version, _NAME) as lab:
        assert lab.endpoint == f"unix:///run/pausewatch-lab/{_NAME}/containerd.sock"
        assert lab.places.socket.is_socket()
        lab.run(Pod("web"))
        assert lab.enter("ls", "/run/netns").startswith("cni-")


def test_two_labs_at_the_same_time() -> None:
    """Labs of different names do not see each other; stopping one leaves the other alone."""
    with runtime.start(CONTAINERD_1_6, _NAME) as first:
        first.run(Pod("same-name"))
        with runtime.start(CONTAINERD_2_4, f"{_NAME}-2") as second:
            assert second.client.sandboxes() == []
            second.run(Pod("same-name"))
        assert len(first.client.sandboxes()) == 1
        assert first.client.version().runtime_version.startswith("1.6")


def test_living_lab_is_not_cleaned_away() -> None:
    """A second start of the same name is refused while the owner of the first lives."""
    with runtime.start(CONTAINERD_2_4, _NAME) as lab:
        with pytest.raises(AlreadyRunningError, match=f"belongs to process {os.getpid()}"):
            runtime.start(CONTAINERD_2_4, _NAME)
        lab.run(Pod("undisturbed"))


def test_killed_owner_leaves_remains_and_the_next_start_cleans(
    foreground: "subprocess.Popen[str]", version: RuntimeVersion, capfd: pytest.CaptureFixture[str]
) -> None:
    """After SIGKILL of its owner the lab runs on, abandoned; a start over it works and has no pods of the old one."""
    foreground.kill()
    foreground.wait()
    assert any("pause" in line for line in find_remains(Places(_NAME)))

    with runtime.start(version, _NAME) as lab:
        assert lab.client.sandboxes() == []
        lab.run(Pod("web"))
    assert "cleaning up after a dead lab" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted_foreground_leaves_nothing(foreground: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Ctrl-C ends a lab in the foreground in good order."""
    foreground.send_signal(number)

    assert foreground.wait(timeout=30) == 0
    assert find_remains(Places(_NAME)) == []


@pytest.mark.parametrize("seconds", [0.4, 0.8])
def test_interrupted_start_leaves_nothing(version: RuntimeVersion, seconds: float) -> None:
    """Ctrl-C while a lab starts is no different."""
    command = [sys.executable, "-m", "lab", "start", version.name, "--name", _NAME, "--foreground"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(_TESTS)}) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        finally:
            process.kill()

    assert find_remains(Places(_NAME)) == []


def test_stop_of_a_hanging_lab(version: RuntimeVersion) -> None:
    """A stopped containerd does not keep a lab from being stopped."""
    with runtime.start(version, _NAME) as lab:
        lab.run(Pod("web"))
        faults.hang_runtime(lab)

    assert find_remains(lab.places) == []


def test_stop_of_a_dead_lab(version: RuntimeVersion) -> None:
    """Nor does a dead one: pods and shims outlive containerd, and are found by their cgroup."""
    with runtime.start(version, _NAME) as lab:
        lab.run(Pod("web"))
        lab.containerd.send(signal.SIGKILL)

    assert find_remains(lab.places) == []


def test_stop_of_all_leaves_alone_what_a_program_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says whose it is. Names beside it are refused: whoever gives both means the names."""
    monkeypatch.setattr("lab.__main__.lab_names", lambda: (_NAME,))  # other tests' labs are none of ours
    with runtime.start(CONTAINERD_2_4, _NAME) as lab:
        left = CliRunner().invoke(main, ["stop", "--all"])
        refused = CliRunner().invoke(main, ["stop", _NAME, "--all"])
        lab.run(Pod("undisturbed"))

    assert f"{_NAME} is left alone: process {os.getpid()} uses it" in left.output
    assert (left.exit_code, refused.exit_code) == (0, 2)


def test_stop_of_no_lab_is_fine() -> None:
    """There is nothing to do, and it is not done."""
    runtime.stop("never-started")


def test_attach_to_no_lab_is_refused() -> None:
    """It says so instead of making one."""
    with pytest.raises(LabError, match="no lab never-started runs"):
        runtime.attach("never-started")


def _network(pid: int) -> str:
    try:
        return linux_namespace(pid, "net")
    except OSError:
        return ""
