"""Processes of a container live on after the runtime has given it up."""

from dataclasses import replace

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.unmanaged_process import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, adding, present
from support.changes import with_container, with_sandbox
from support.observed import observed
from support.parts import WEB_APP_ID, WEB_SANDBOX_ID, a_membership, a_monitor, a_process, hex_id

GONE_ID = hex_id("gone")
LEFT_PID = 4000


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check with its defaults."""
    return observed(CHECK, a_node(snapshot))


def left_in(container_id: str, seconds: float = 10, parent_pid: int = 1) -> Snapshot:
    """Return a node with a process in the cgroup of a container that nobody runs."""
    exited = with_container(a_snapshot(), WEB_APP_ID, state=ContainerState.EXITED)
    return adding(
        exited,
        processes=[a_process(LEFT_PID, parent_pid=parent_pid, name="writer")],
        memberships=[a_membership(LEFT_PID, container_id, stray_seconds=seconds)],
    )


def test_healthy_node_is_silent() -> None:
    """Every process is of something that runs."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize("container_id", [WEB_APP_ID, GONE_ID], ids=["exited", "unlisted"])
@pytest.mark.parametrize(("seconds", "found"), [(0, 0), (9.9, 0), (10, 1)])
def test_what_is_being_ended_is_silent(container_id: str, seconds: float, found: int) -> None:
    """A runtime kills what a container leaves behind; the threshold of five minutes comes on top."""
    assert len(run(left_in(container_id, seconds))) == found
    assert CHECK.persistence_seconds(thresholds_of(CHECK, {})) == 300


def test_exited_container() -> None:
    """Whose it was, what is left, how to see it and how to end it."""
    (observation,) = run(left_in(WEB_APP_ID))

    assert observation.reason == "UnmanagedProcess"
    assert observation.severity is Severity.WARNING
    assert str(observation.subject) == "team-a/web-x/app"
    assert observation.message == (
        f"Container {WEB_APP_ID[:12]} of team-a/web-x/app has exited, and 1 process of it lived on for 300 s or more:"
        " nobody will stop what is left, and it may write beside the container that replaced this one"
    )
    assert observation.evidence == (
        Evidence(name="containerId", value=WEB_APP_ID),
        Evidence(name="cgroup", value=a_membership(LEFT_PID, WEB_APP_ID).cgroup_path),
        Evidence(name="processes", value="4000 writer"),
    )
    show, kill = (one.command for one in observation.next_commands)
    assert "ps -ww" in show
    assert kill.endswith("| xargs -r kill")
    assert "4000" not in kill


def test_unlisted_container() -> None:
    """It belongs to the node: nobody knows its pod."""
    (observation,) = run(left_in(GONE_ID))

    assert observation.subject.is_node
    assert f"Container {GONE_ID[:12]} in the cgroup of a pod is not listed by the runtime, and" in observation.message


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "another runtime's"])
def test_unlisted_container_with_a_monitor_is_another_matter(*, is_ours: bool) -> None:
    """See unlisted-pause; or Docker's own business."""
    shim = a_monitor(3900, GONE_ID, is_ours=is_ours)

    assert run(adding(left_in(GONE_ID, parent_pid=3900), monitors=[shim])) == ()


def test_exited_container_with_a_living_shim() -> None:
    """The shim of the pod is there for the other containers."""
    shim = a_monitor(3900, WEB_SANDBOX_ID)

    assert len(run(adding(left_in(WEB_APP_ID, parent_pid=3900), monitors=[shim]))) == 1


def test_virtual_machine_is_not_judged() -> None:
    """What is in the cgroup of a container of Kata or gVisor are not the container's processes."""
    assert run(with_sandbox(left_in(WEB_APP_ID), WEB_SANDBOX_ID, runtime_type="io.containerd.kata.v2")) == ()


def test_sandbox_that_could_not_be_asked_about() -> None:
    """It may be a virtual machine."""
    unknown = Unavailable(reason="StatusUnreadable", detail="damaged")

    assert run(with_sandbox(left_in(WEB_APP_ID), WEB_SANDBOX_ID, details=unknown)) == ()


def test_container_without_a_listed_sandbox() -> None:
    """Its pod is not known then."""
    others = tuple(one for one in present(a_snapshot().sandboxes) if one.id != WEB_SANDBOX_ID)
    lonely = left_in(WEB_APP_ID)

    (observation,) = run(
        a_snapshot(
            sandboxes=others,
            containers=lonely.containers,
            processes=lonely.processes,
            memberships=lonely.memberships,
        )
    )

    assert observation.subject.is_node


def test_two_attempts_of_one_container_are_two_findings() -> None:
    """Each has an id of its own."""
    first = left_in(WEB_APP_ID)
    second_id = hex_id("second attempt")
    container = next(one for one in present(first.containers) if one.id == WEB_APP_ID)
    both = adding(
        first,
        containers=[replace(container, id=second_id)],
        processes=[a_process(4001)],
        memberships=[a_membership(4001, second_id, stray_seconds=10)],
    )

    parts = {observation.part for observation in run(both)}

    assert parts == {WEB_APP_ID[:12], second_id[:12]}
