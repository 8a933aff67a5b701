"""The runtime calls a container RUNNING, and its first process is dead."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pausewatch.checks.container_process_gone import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from support.builders import a_snapshot, present
from support.changes import with_container, with_sandbox, without_process
from support.commands import DELETE_WEB
from support.observed import observed
from support.parts import UPTIME_SECONDS, WEB_APP_ID, WEB_APP_PID, WEB_PAUSE_PID, WEB_SANDBOX_ID, WEB_SHIM_PID

GONE = without_process(a_snapshot(), WEB_APP_PID)


def run(snapshot: Snapshot, missed_for_seconds: float | None = 30) -> tuple[Observation, ...]:
    """Run the check on a node whose container app has been without its process for so long."""
    lost: Mapping[str, float] = {} if missed_for_seconds is None else {WEB_APP_ID: UPTIME_SECONDS - missed_for_seconds}
    return observed(CHECK, NodeView(snapshot, History(lost_since=lost)))


def in_state(snapshot: Snapshot, pid: int, state: str, threads: int = 1) -> Snapshot:
    """Return the node with a process in another state."""
    changed = (
        replace(one, state=state, threads=threads) if one.pid == pid else one for one in present(snapshot.processes)
    )
    return replace(snapshot, processes=tuple(changed))


def test_healthy_node_is_silent() -> None:
    """Every running container has its process, whatever was remembered."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(
    ("missed_for_seconds", "severities"),
    [(None, []), (0, []), (1, [Severity.INFO]), (29, [Severity.INFO]), (30, [Severity.CRITICAL])],
)
def test_bound_is_half_a_minute_and_one_look_says_nothing(
    missed_for_seconds: float | None, severities: list[Severity]
) -> None:
    """The process may have ended between the runtime's list and /proc."""
    assert [one.severity for one in run(GONE, missed_for_seconds)] == severities


def test_finding_tells_everything_a_reader_needs() -> None:
    """Which process is dead, who should have told the runtime, and how to make sure."""
    (observation,) = run(GONE)

    assert observation.reason == "ContainerProcessGone"
    assert str(observation.subject) == "team-a/web-x/app"
    assert observation.message == (
        "The runtime calls team-a/web-x/app running, but its first process, pid 2311, has been dead for at least 30 s:"
        " the container does nothing, and Kubernetes does not restart what it takes for running"
    )
    assert observation.evidence == (
        Evidence(name="containerId", value=WEB_APP_ID),
        Evidence(name="process", value="2311, not in /proc"),
        Evidence(name="shim", value="2300 (containerd-shim), alive"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", "pausewatch inspect team-a/web-x"),
        ("node", f"crictl inspect {WEB_APP_ID}"),
        ("node", f"ps -p {WEB_SHIM_PID} -o pid,stat,lstart,comm"),
        ("cluster", DELETE_WEB),
    ]
    assert observation.rests_on == (WEB_APP_ID,)


@pytest.mark.parametrize(
    ("state", "told"),
    [("T", "stopped by a signal or a debugger"), ("t", "stopped by a signal or a debugger"), ("Z", "dead")],
)
def test_zombie_is_dead_as_well_and_its_parent_is_the_one_to_ask(state: str, told: str) -> None:
    """A shim that is stopped reaps nobody and tells the runtime nothing."""
    stopped = in_state(in_state(a_snapshot(), WEB_APP_PID, "Z"), WEB_SHIM_PID, state)

    (observation,) = run(stopped)

    assert observation.evidence[1:] == (
        Evidence(name="process", value="2311, a zombie that its parent has not reaped"),
        Evidence(name="shim", value=f"2300 (containerd-shim), {told}"),
    )


def test_without_pause_and_process_nobody_knows_the_shim() -> None:
    """It is left out, and so is the command that asks for it."""
    (observation,) = run(without_process(GONE, WEB_PAUSE_PID))

    assert [one.name for one in observation.evidence] == ["containerId", "process"]
    assert not [one for one in observation.next_commands if one.command.startswith("ps ")]


def test_program_that_lives_on_in_other_threads_is_alive() -> None:
    """Its first thread called pthread_exit; the kernel shows it like a zombie."""
    assert run(in_state(a_snapshot(), WEB_APP_PID, "Z", threads=2)) == ()


@pytest.mark.parametrize("state", [ContainerState.CREATED, ContainerState.EXITED, ContainerState.UNKNOWN])
def test_only_running_containers_need_a_process(state: ContainerState) -> None:
    """A container that was made and not started has none yet."""
    assert run(with_container(GONE, WEB_APP_ID, state=state)) == ()


def test_container_whose_pid_is_not_told_is_not_judged() -> None:
    """Just started, or its status could not be asked for."""
    unknown = Unavailable(reason="StatusUnreadable", detail="damaged")

    assert run(with_container(GONE, WEB_APP_ID, pid=0)) == ()
    assert run(with_container(GONE, WEB_APP_ID, details=unknown)) == ()


@pytest.mark.parametrize("runtime_type", ["io.containerd.kata.v2", "io.containerd.runsc.v1"])
def test_runtime_that_is_not_comparable_is_not_judged(runtime_type: str) -> None:
    """What the pid of a virtual machine's container means is that runtime's own matter."""
    assert run(with_sandbox(GONE, WEB_SANDBOX_ID, runtime_type=runtime_type)) == ()


def test_sandbox_of_unknown_runtime_is_not_judged() -> None:
    """It may be such a runtime."""
    unknown = Unavailable(reason="StatusUnreadable", detail="damaged")

    assert run(with_sandbox(GONE, WEB_SANDBOX_ID, details=unknown)) == ()


def test_processes_of_another_pid_namespace_are_not_needed_in_ours() -> None:
    """The check is skipped then; the view says nothing either."""
    foreign = Unavailable(reason="RuntimeInOtherPidNamespace", detail="kind")

    assert "first_processes" in CHECK.needs
    assert run(replace(GONE, first_processes=foreign)) == ()
