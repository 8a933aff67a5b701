import json
from pathlib import Path

import grpc
import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import ContainerDetails, ContainerState
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.source import CriSource
from sources.cri.fake_runtime import FakeRuntime
from sources.cri.readings import (
    WEB_CONTAINER,
    WEB_SANDBOX,
    a_second_each_time,
    container_with_pid,
    containers,
    reasons,
    sandboxes,
    why,
)


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
