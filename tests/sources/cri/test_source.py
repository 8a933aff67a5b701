import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import ContainerDetails, SandboxDetails
from pausewatch.model.snapshot import Runtime
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.source import CriSource
from sources.cri.fake_runtime import FakeRuntime
from sources.cri.readings import (
    SECONDS,
    WEB_CONTAINER,
    WEB_SANDBOX,
    a_second_each_time,
    container_with_pid,
    containers,
    reasons,
    sandboxes,
)
from sources.procfs.living import python, running


@contextmanager
def runtime_in_other_process(path: Path, version: str) -> Iterator[int]:
    """Run an empty runtime in a process of its own and return the process's pid."""
    lines = (
        "import pathlib, sys",
        "from sources.cri.fake_runtime import FakeRuntime",
        f"with FakeRuntime(pathlib.Path({str(path)!r})) as runtime:",
        f"    runtime.version = {version!r}",
        "    print('ready', flush=True)",
        "    sys.stdin.read()",
    )
    with running(*python("\n".join(lines))) as child:
        yield child.pid
        child.communicate()  # the end of its input is that of the runtime


def test_reading(runtime: FakeRuntime, source: CriSource, path: Path) -> None:
    """A reading holds who answers, who listens, and everything that is listed with its details."""
    reading = source.read()

    assert reading.runtime == Runtime(name="containerd", version="2.4.2", endpoint=f"unix://{path}")
    assert reading.listener_pid == os.getpid()
    sandbox = sandboxes(reading)[WEB_SANDBOX]
    container = containers(reading)[WEB_CONTAINER]
    assert isinstance(sandbox.details, SandboxDetails)
    assert sandbox.details.pause_pid == 31622
    assert isinstance(container.details, ContainerDetails)
    assert container.details.pid == 31700
    assert source.calls == runtime.calls


def test_socket_below_a_root_is_named_as_the_node_knows_it(tmp_path: Path) -> None:
    """In a pod the node's /run is somewhere else, and people type commands on the node."""
    folder = tmp_path / "run/crio"
    folder.mkdir(parents=True)
    with FakeRuntime(folder / "crio.sock"):
        source = CriSource(None, SECONDS, socket_root=str(tmp_path))
        reading = source.read()
        source.close()

    assert not isinstance(reading.runtime, Unavailable)
    assert reading.runtime.endpoint == "unix:///run/crio/crio.sock"


def test_named_socket_is_below_the_root_as_well(runtime: FakeRuntime, path: Path) -> None:
    """One spelling of an endpoint, the node's, in settings and findings."""
    source = CriSource(f"unix:///{path.name}", SECONDS, socket_root=str(path.parent))
    reading = source.read()
    source.close()

    assert runtime.calls["Version"] == 1
    assert not isinstance(reading.runtime, Unavailable)
    assert reading.runtime.endpoint == f"unix:///{path.name}"


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("Version", ("RuntimeHanging", "RuntimeHanging", "RuntimeHanging", "")),
        ("ListPodSandbox", ("RuntimeHanging", "RuntimeHanging", "RuntimeHanging", "")),
        ("ListContainers", ("", "", "RuntimeHanging", "")),
    ],
)
def test_hanging_runtime(method: str, expected: tuple[str, ...], runtime: FakeRuntime, impatient: CriSource) -> None:
    """After the first call that hangs, the lists are not asked for either."""
    runtime.hanging.add(method)

    assert reasons(impatient.read()) == expected


def test_runtime_that_hangs_later_is_not_said_to_answer(runtime: FakeRuntime, impatient: CriSource) -> None:
    """Its name and version are known from before; a report with them would call it reachable."""
    assert reasons(impatient.read())[0] == ""
    runtime.hanging.update(("Version", "ListPodSandbox"))
    assert reasons(impatient.read())[0] == "RuntimeHanging"
    runtime.hanging.clear()

    assert reasons(impatient.read())[0] == ""


def test_failing_list(runtime: FakeRuntime, source: CriSource) -> None:
    """A list that fails on its own leaves the other one."""
    runtime.failures["ListPodSandbox"] = grpc.StatusCode.RESOURCE_EXHAUSTED

    assert reasons(source.read()) == ("", "AnswerTooLarge", "", "")


def test_failing_version(runtime: FakeRuntime, source: CriSource) -> None:
    """A runtime that does not tell its version is read all the same, and asked again."""
    runtime.failures["Version"] = grpc.StatusCode.UNKNOWN
    assert reasons(source.read()) == ("CallFailed", "", "", "")
    runtime.failures.clear()

    assert reasons(source.read()) == ("", "", "", "")


def test_no_runtime(source: CriSource) -> None:
    """Without a socket every part says so, the process behind it included."""
    assert reasons(source.read()) == ("SocketMissing",) * 4


def test_invalid_endpoint() -> None:
    """An endpoint that is no unix socket is never connected to."""
    source = CriSource("tcp://127.0.0.1:1", SECONDS)

    assert reasons(source.read()) == ("EndpointInvalid",) * 4


def test_runtime_that_does_not_accept(impatient: CriSource, path: Path) -> None:
    """A runtime that is stopped, with its queue full, is told apart from one that is gone."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))

        assert reasons(impatient.read()) == ("RuntimeHanging",) * 4


def test_runtime_comes_back(source: CriSource, path: Path) -> None:
    """A restart costs the readings in between and nothing after it."""
    with FakeRuntime(path):
        assert reasons(source.read()) == ("",) * 4
    assert reasons(source.read()) == ("SocketMissing",) * 4
    with FakeRuntime(path) as runtime:
        runtime.add_container(*container_with_pid("c2", 7))
        reading = source.read()

    assert reasons(reading) == ("",) * 4
    assert set(containers(reading)) == {"c2"}


def test_other_listener_is_asked_for_its_version(path: Path, source: CriSource) -> None:
    """Another process behind the socket is another runtime: nothing that the old one told is kept."""
    with FakeRuntime(path) as runtime:
        runtime.add_container(*container_with_pid("c2", 7))
        source.read()
    with runtime_in_other_process(path, version="9.9.9") as pid:
        reading = source.read()

    assert reading.listener_pid == pid
    assert not isinstance(reading.runtime, Unavailable)
    assert reading.runtime.version == "9.9.9"
    assert containers(reading) == {}


@pytest.mark.root
@pytest.mark.usefixtures("runtime")
def test_runtime_in_other_pid_namespace(path: Path) -> None:
    """A listener without a number here is told as that: the pids that it tells are strangers' here."""
    lines = (
        "from pausewatch.sources.cri.source import CriSource",
        f"print(CriSource({str(path)!r}, {SECONDS}).read().listener_pid.reason)",
    )
    told = subprocess.check_output(
        ["unshare", "--pid", "--fork", sys.executable, "-c", "\n".join(lines)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )

    assert told == "RuntimeInOtherPidNamespace\n"


def test_still_running(runtime: FakeRuntime, source: CriSource) -> None:
    """The runtime itself is asked, with one call and the whole id."""
    source.read()
    runtime.calls.clear()

    assert source.still_running(WEB_CONTAINER) is True
    assert source.still_running(WEB_CONTAINER[:12]) is False
    assert source.still_running("gone") is False
    assert runtime.calls == {"ListContainers": 3}


def test_suspicions_while_the_runtime_hangs(runtime: FakeRuntime, impatient: CriSource) -> None:
    """One time limit is waited for in each reading, not one per suspicion."""
    impatient.read()
    runtime.calls.clear()
    runtime.hanging.add("ListContainers")
    answers = [impatient.still_running(WEB_CONTAINER) for _ in range(9)]
    hung = [one.reason for one in answers if isinstance(one, Unavailable)]

    assert hung == ["RuntimeHanging"] * 9
    assert runtime.calls == {"ListContainers": 1}
    runtime.hanging.clear()
    impatient.read()
    assert impatient.still_running(WEB_CONTAINER) is True


def test_suspicions_while_the_runtime_is_slow(runtime: FakeRuntime, path: Path) -> None:
    """What is still to be asked when the time is up is not confirmed."""
    source = CriSource(str(path), 2, clock=a_second_each_time())
    source.read()
    runtime.calls.clear()
    answers = [source.still_running(WEB_CONTAINER) for _ in range(20)]
    source.close()

    assert answers[0] is True
    assert isinstance(answers[-1], Unavailable)
    assert answers[-1].reason == "RuntimeSlow"
    assert 1 < runtime.calls["ListContainers"] < 10


def test_still_ready(runtime: FakeRuntime, source: CriSource) -> None:
    """The same for a sandbox."""
    source.read()
    runtime.calls.clear()

    assert source.still_ready(WEB_SANDBOX) is True
    assert source.still_ready("gone") is False
    runtime.sandboxes[WEB_SANDBOX][0].state = cri.SANDBOX_NOTREADY
    assert source.still_ready(WEB_SANDBOX) is False
    assert runtime.calls == {"ListPodSandbox": 3}


def test_still_running_without_a_runtime(source: CriSource) -> None:
    """Unknown is neither running nor gone."""
    for answer in (source.still_running(WEB_CONTAINER), source.still_ready(WEB_SANDBOX)):
        assert isinstance(answer, Unavailable)
        assert answer.reason == "NotConnected"
