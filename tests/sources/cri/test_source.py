import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Container, ContainerDetails, ContainerState, Sandbox, SandboxDetails
from pausewatch.model.snapshot import Runtime
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.source import CriReading, CriSource
from sources.cri.fake_runtime import FakeRuntime

SECONDS = 5.0
SHORT_SECONDS = 0.2

WEB_SANDBOX = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
WEB_CONTAINER = "a1c24b3c360c0bfd7e5eaef38feea5579dc21a650969922a7f7de267b4f10b35"


@pytest.fixture
def source(path: Path) -> Iterator[CriSource]:
    """Return a source with a time limit that no healthy runtime reaches."""
    made = CriSource(f"unix://{path}", SECONDS)
    yield made
    made.close()


@pytest.fixture
def impatient(path: Path) -> Iterator[CriSource]:
    """Return a source with a short time limit, for a runtime that hangs."""
    made = CriSource(f"unix://{path}", SHORT_SECONDS)
    yield made
    made.close()


def a_second_each_time() -> Callable[[], float]:
    """Return a clock on which a second passes between two looks at it."""
    seconds = itertools.count()
    return lambda: float(next(seconds))


def sandboxes(reading: CriReading) -> dict[str, Sandbox]:
    """Return the sandboxes by id."""
    assert not isinstance(reading.sandboxes, Unavailable)
    return {sandbox.id: sandbox for sandbox in reading.sandboxes}


def containers(reading: CriReading) -> dict[str, Container]:
    """Return the containers by id."""
    assert not isinstance(reading.containers, Unavailable)
    return {container.id: container for container in reading.containers}


def reasons(reading: CriReading) -> tuple[str, ...]:
    """Return why each part could not be read; empty where it was."""
    parts = (reading.runtime, reading.sandboxes, reading.containers, reading.listener_pid)
    return tuple(part.reason if isinstance(part, Unavailable) else "" for part in parts)


def why(item: Sandbox | Container) -> str:
    """Return why the details of an item are missing; empty where they are there."""
    return item.details.reason if isinstance(item.details, Unavailable) else ""


def container_with_pid(identifier: str, pid: int) -> tuple[cri.Container, cri.ContainerStatusResponse]:
    """Return a running container."""
    return (
        cri.Container(id=identifier, state=cri.CONTAINER_RUNNING),
        cri.ContainerStatusResponse(
            status=cri.ContainerStatus(state=cri.CONTAINER_RUNNING), info={"info": f'{{"pid": {pid}}}'}
        ),
    )


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
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child.pid
        child.communicate()


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


def test_second_reading_asks_for_two_lists(runtime: FakeRuntime, source: CriSource) -> None:
    """What is known is neither asked for nor translated again."""
    first = source.read()
    runtime.calls.clear()
    second = source.read()

    assert runtime.calls == {"ListPodSandbox": 1, "ListContainers": 1}
    assert second == first
    assert sandboxes(second)[WEB_SANDBOX] is sandboxes(first)[WEB_SANDBOX]
    assert containers(second)[WEB_CONTAINER] is containers(first)[WEB_CONTAINER]


def test_doubted_statuses_are_asked_for_again(runtime: FakeRuntime, source: CriSource) -> None:
    """Once: what is told then is remembered as before."""
    source.read()
    runtime.calls.clear()
    source.doubt((WEB_SANDBOX, WEB_CONTAINER))
    source.read()
    source.read()

    assert runtime.calls == {"ListPodSandbox": 2, "ListContainers": 2, "PodSandboxStatus": 1, "ContainerStatus": 1}


def test_new_container_is_asked_for_once(runtime: FakeRuntime, source: CriSource) -> None:
    """One status call per new container."""
    source.read()
    runtime.add_container(*container_with_pid("c2", 7))
    runtime.calls.clear()
    source.read()
    reading = source.read()

    assert set(containers(reading)) == {WEB_CONTAINER, "c2"}
    assert runtime.calls == {"ListPodSandbox": 2, "ListContainers": 2, "ContainerStatus": 1}


def test_changed_state_is_asked_for(runtime: FakeRuntime, source: CriSource) -> None:
    """A container that was CREATED gets its process when it runs."""
    listed, answer = container_with_pid("c2", 7)
    listed.state = cri.CONTAINER_CREATED
    answer.status.state = cri.CONTAINER_CREATED
    runtime.add_container(listed, answer)
    before = containers(source.read())["c2"].details
    runtime.add_container(*container_with_pid("c2", 7))
    after = containers(source.read())["c2"].details

    assert isinstance(before, ContainerDetails)
    assert isinstance(after, ContainerDetails)
    assert (before.pid, after.pid) == (0, 7)


def test_exited_container_is_not_asked_for(runtime: FakeRuntime, source: CriSource) -> None:
    """A node keeps hundreds of containers that have exited; nothing is judged of them."""
    listed, answer = container_with_pid("c2", 7)
    listed.state = cri.CONTAINER_EXITED
    runtime.add_container(listed, answer)
    reading = source.read()

    assert containers(reading)["c2"].state is ContainerState.EXITED
    assert runtime.calls["ContainerStatus"] == 1


def test_exited_container_that_was_seen_running(runtime: FakeRuntime, source: CriSource) -> None:
    """Whether it could change the pod's network is remembered: the change outlives it."""
    listed, answer = container_with_pid("c2", 7)
    bounding = {"runtimeSpec": {"process": {"capabilities": {"bounding": ["CAP_NET_ADMIN"]}}}}
    answer.info["info"] = json.dumps(bounding)
    runtime.add_container(listed, answer)
    source.read()
    listed.state = cri.CONTAINER_EXITED
    answer.status.state = cri.CONTAINER_EXITED
    ended = [containers(source.read())["c2"] for _ in range(2)]

    details = [one.details for one in ended]
    assert [one.state for one in ended] == [ContainerState.EXITED] * 2
    assert not any(isinstance(one, Unavailable) or not one.may_change_network for one in details)


def test_removed_items_are_forgotten(runtime: FakeRuntime, source: CriSource) -> None:
    """An id that is listed again is asked for again."""
    source.read()
    kept = runtime.containers.copy()
    runtime.containers.clear()
    assert containers(source.read()) == {}
    runtime.containers = kept
    source.read()

    assert runtime.calls["ContainerStatus"] == 2


def test_vanished_item_is_dropped(runtime: FakeRuntime, source: CriSource) -> None:
    """What is gone between list and status was not there at all."""
    runtime.failures[WEB_CONTAINER] = grpc.StatusCode.NOT_FOUND
    reading = source.read()

    assert containers(reading) == {}
    assert set(sandboxes(reading)) == {WEB_SANDBOX}


def test_item_that_is_listed_and_unknown_again_is_kept(runtime: FakeRuntime, source: CriSource) -> None:
    """Taken for not listed, its processes would look left behind and its address lost."""
    runtime.failures[WEB_CONTAINER] = grpc.StatusCode.NOT_FOUND
    source.read()
    contradictory = [source.read() for _ in range(2)]
    runtime.failures.clear()

    assert [why(containers(one)[WEB_CONTAINER]) for one in contradictory] == ["NotFound"] * 2
    assert why(containers(source.read())[WEB_CONTAINER]) == ""
    runtime.failures[WEB_CONTAINER] = grpc.StatusCode.NOT_FOUND
    runtime.containers[WEB_CONTAINER][0].state = cri.CONTAINER_CREATED
    assert containers(source.read()) == {}


@pytest.mark.parametrize("identifier", ["", "\x1b[2J"])
def test_list_that_can_not_be_true(identifier: str, runtime: FakeRuntime, source: CriSource) -> None:
    """Nothing is asked and nothing forgotten; the next list that can be true is taken."""
    before = source.read()
    runtime.calls.clear()
    runtime.sandboxes["rubbish"] = (cri.PodSandbox(id=identifier), cri.PodSandboxStatusResponse())
    assert reasons(source.read()) == ("", "ListContradictory", "", "")
    del runtime.sandboxes["rubbish"]

    assert source.read() == before
    assert runtime.calls == {"ListPodSandbox": 2, "ListContainers": 2}


def test_sandbox_that_is_listed_as_a_container(runtime: FakeRuntime, source: CriSource) -> None:
    """The containers count as unknown, the sandboxes do not."""
    runtime.add_container(*container_with_pid(WEB_SANDBOX, 7))

    assert reasons(source.read()) == ("", "", "ListContradictory", "")


def test_one_failing_status(runtime: FakeRuntime, source: CriSource) -> None:
    """A status that fails concerns its item alone, and is asked for again."""
    runtime.failures[WEB_SANDBOX] = grpc.StatusCode.UNKNOWN
    failed = source.read()
    runtime.failures.clear()
    good = source.read()

    assert why(sandboxes(failed)[WEB_SANDBOX]) == "CallFailed"
    assert why(containers(failed)[WEB_CONTAINER]) == ""
    assert why(sandboxes(good)[WEB_SANDBOX]) == ""


def test_status_of_a_later_state_is_not_kept(runtime: FakeRuntime, source: CriSource) -> None:
    """A container that ended between list and status is told as ended, and asked for again."""
    _, answer = runtime.containers[WEB_CONTAINER]
    answer.status.state = cri.CONTAINER_EXITED
    ended = source.read()
    answer.status.state = cri.CONTAINER_RUNNING
    back = source.read()

    assert containers(ended)[WEB_CONTAINER].state is ContainerState.EXITED
    assert containers(back)[WEB_CONTAINER].state is ContainerState.RUNNING


def test_running_container_without_process_is_asked_for_again(runtime: FakeRuntime, source: CriSource) -> None:
    """A pid of 0 would otherwise hide a container until its end."""
    runtime.add_container(*container_with_pid("c2", 0))
    source.read()
    runtime.add_container(*container_with_pid("c2", 7))
    details = containers(source.read())["c2"].details

    assert isinstance(details, ContainerDetails)
    assert details.pid == 7


def test_hanging_status_ends_the_questions(runtime: FakeRuntime, impatient: CriSource) -> None:
    """One time limit is waited for, not one per container."""
    runtime.hanging.add(WEB_SANDBOX)
    reading = impatient.read()

    assert why(sandboxes(reading)[WEB_SANDBOX]) == "RuntimeHanging"
    assert why(containers(reading)[WEB_CONTAINER]) == "RuntimeHanging"
    assert runtime.calls["ContainerStatus"] == 0


def test_hanging_status_hides_the_others_once(runtime: FakeRuntime, impatient: CriSource) -> None:
    """What hung comes last in the next reading, so a single blocked sandbox does not blind us for ever."""
    runtime.hanging.add(WEB_SANDBOX)
    impatient.read()
    reading = impatient.read()

    assert why(sandboxes(reading)[WEB_SANDBOX]) == "RuntimeHanging"
    assert why(containers(reading)[WEB_CONTAINER]) == ""


def test_slow_runtime(runtime: FakeRuntime, path: Path) -> None:
    """A runtime that takes long for each status is asked for the rest in the next reading."""
    for number in range(8):
        runtime.add_container(*container_with_pid(f"c{number}", 7))
    source = CriSource(str(path), 2, clock=a_second_each_time())
    first = [why(container) for container in containers(source.read()).values()]
    second = [why(container) for container in containers(source.read()).values()]
    source.close()

    assert set(first) == {"", "RuntimeSlow"}
    assert second.count("") > first.count("")


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
