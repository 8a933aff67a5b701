"""Dead processes pile up because nobody waits for them."""

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.zombie_buildup import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.pid_limit import PidLimit
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from pausewatch.model.zombie_growth import ZombieCount
from support.builders import a_node, a_snapshot, adding
from support.changes import with_container, with_zombies, with_zombies_of_another_node
from support.commands import DELETE_WEB
from support.observed import observed
from support.parts import (
    CONTAINERD_PID,
    FIRST_INODE,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    SHARED_WORKER_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SANDBOX_ID,
    WEB_SHIM_PID,
    a_process,
)


def run(snapshot: Snapshot, seen: float = 60, **thresholds: float) -> tuple[Observation, ...]:
    """Run the check on a node whose zombies have all been seen dead for so many seconds."""
    since = snapshot.uptime_seconds - seen
    node = a_node(snapshot, {zombie.identity: since for zombie in a_node(snapshot).zombies})
    return observed(CHECK, node, thresholds)


def test_healthy_node_is_silent() -> None:
    """No zombie at all."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(("count", "found"), [(9, 0), (10, 1)])
def test_ten_of_one_container_are_the_bound(count: int, found: int) -> None:
    """Just under and at it."""
    assert len(run(with_zombies(a_snapshot(), count, WEB_APP_PID))) == found


def test_zombies_of_another_node_are_not_told() -> None:
    """In kind several nodes share a machine: the one whose pods they are in tells them."""
    assert run(with_zombies_of_another_node(a_snapshot(), 50)) == ()


def test_bound_is_per_container() -> None:
    """Nine here and nine there are two shells, not a build-up."""
    both = with_zombies(
        with_zombies(a_snapshot(), 9, WEB_APP_PID), 9, SHARED_PAUSE_PID, first_pid=6000, container_id=None
    )

    assert run(both) == ()


@pytest.mark.parametrize(
    ("seen_for_seconds", "severity"), [(59.9, Severity.INFO), (60, Severity.WARNING), (3600, Severity.WARNING)]
)
def test_a_minute_makes_a_warning(seen_for_seconds: float, severity: Severity) -> None:
    """Until then a late parent may still come."""
    (observation,) = run(with_zombies(a_snapshot(), 10, WEB_APP_PID), seen_for_seconds)

    assert observation.reason == "ZombieBuildup"
    assert observation.severity is severity


def test_only_old_ones_count_for_the_warning() -> None:
    """A busy shell with ten fresh dead beside nine old ones is not yet one."""
    snapshot = with_zombies(with_zombies(a_snapshot(), 9, WEB_APP_PID), 10, WEB_APP_PID, first_pid=6000)
    zombies = a_node(snapshot).zombies
    since = {one.identity: snapshot.uptime_seconds - (60 if one.pid < 6000 else 1) for one in zombies}

    outcome = CHECK.run(a_node(snapshot, since), thresholds_of(CHECK, {}))

    assert not isinstance(outcome, Unavailable)
    assert [one.severity for one in outcome] == [Severity.INFO]


def test_zombies_seen_for_the_first_time_do_not_count() -> None:
    """Thousands of short children are dead for microseconds each."""
    assert run(with_zombies(a_snapshot(), 500, WEB_APP_PID), seen=0) == ()


def test_program_whose_leader_exited_is_alive() -> None:
    """State Z with living threads is no zombie."""
    leaders = [a_process(pid, parent_pid=WEB_APP_PID, state="Z", threads=2) for pid in range(7000, 7020)]

    assert run(adding(a_snapshot(), processes=leaders)) == ()


def test_thresholds_can_be_moved() -> None:
    """By their declared names."""
    assert len(run(with_zombies(a_snapshot(), 3, WEB_APP_PID), zombies=3)) == 1
    (observation,) = run(with_zombies(a_snapshot(), 10, WEB_APP_PID), 5, seen_for_seconds=5)
    assert observation.severity is Severity.WARNING


def test_finding_tells_everything_a_reader_needs() -> None:
    """Who does not wait and what it is, what proves it, what to type."""
    (observation,) = run(with_zombies(a_snapshot(), 16, WEB_APP_PID))

    assert observation.message == (
        f"team-a/web-x/app holds 10+ zombies (bound 10): pid {WEB_APP_PID} (app), PID 1 of the container, does not"
        " wait for its dead children, and each keeps a pid until it does or ends; forks fail when the pids run out"
    )
    assert observation.evidence == (
        Evidence(name="parent", value=f"pid {WEB_APP_PID} (app), PID 1 of the container: 10+ zombies"),
        Evidence(name="pidNamespace", value=f"pid:[{FIRST_INODE + WEB_APP_PID}]"),
        Evidence(name="oldestZombies", value="5000 sh, 5001 sh, 5002 sh"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"ps --ppid {WEB_APP_PID} -o pid,stat,lstart,comm"),
        ("node", "pausewatch inspect team-a/web-x"),
        (
            "cluster",
            "kubectl --namespace team-a get pod web-x --output jsonpath='{.spec.containers[*].*.exec.command}'",
        ),
        ("cluster", DELETE_WEB),
    ]
    assert observation.rests_on == (WEB_APP_ID, WEB_SANDBOX_ID)


def with_history(snapshot: Snapshot, *zombies_by_minute: int) -> tuple[Observation, ...]:
    """Run the check with earlier counts of "app", a minute apart, the last of them a minute ago."""
    now = snapshot.uptime_seconds
    counts = tuple(
        ZombieCount(uptime_seconds=now - 60 * ago, zombies=zombies)
        for ago, zombies in zip(range(len(zombies_by_minute), 0, -1), zombies_by_minute, strict=True)
    )
    seen = {zombie.identity: now - 60 for zombie in a_node(snapshot).zombies}
    history = History(zombies_seen_since=seen, zombie_counts={WEB_APP_ID: counts})
    outcome = CHECK.run(NodeView(snapshot, history), thresholds_of(CHECK, {}))
    assert not isinstance(outcome, Unavailable)
    return outcome


def evidence(observation: Observation) -> dict[str, str]:
    """Return the evidence by name."""
    return {one.name: one.value for one in observation.evidence}


def test_steady_growth_tells_when_the_nearest_limit_is_reached() -> None:
    """900 free, ten more a minute: an hour and a half from 09:14."""
    pod = PidLimit(directory="/sys/fs/cgroup/pod1", owner_ids=(WEB_APP_ID,), tasks=100, most_tasks=1000)
    machine = PidLimit(directory="", owner_ids=(), tasks=500, most_tasks=32_768)
    snapshot = with_zombies(a_snapshot(pid_limits=(pod, machine)), 50, WEB_APP_PID)

    (observation,) = with_history(snapshot, 0, 10, 20, 30, 40)

    assert observation.message.endswith("at this pace pids.max 1,000 is reached about 10:30Z, and forks fail")
    assert evidence(observation)["growth"] == "500+ more an hour"
    assert evidence(observation)["nearestLimit"] == "pids.max 1,000 in /sys/fs/cgroup/pod1, 10 % or more used"


def test_bound_that_is_far_away_is_told_as_such() -> None:
    """The number of all tasks changes all the time, the text does not."""
    machine = PidLimit(directory="", owner_ids=(), tasks=500, most_tasks=32_768)

    (observation,) = run(with_zombies(a_snapshot(pid_limits=(machine,)), 50, WEB_APP_PID))

    expected = "min(kernel.pid_max, kernel.threads-max) 32,768, less than 10 % used"
    assert evidence(observation)["nearestLimit"] == expected


def test_standing_number_is_told_and_foretells_nothing() -> None:
    """A parent that once forgot some."""
    (observation,) = with_history(with_zombies(a_snapshot(), 50, WEB_APP_PID), 50, 50, 50, 50, 50)

    assert evidence(observation)["growth"] == "none"
    assert observation.message.endswith("forks fail when the pids run out")


def test_burst_foretells_nothing() -> None:
    """Fifty at once are no pace."""
    (observation,) = with_history(with_zombies(a_snapshot(), 50, WEB_APP_PID), 0, 0, 0, 0, 50)

    assert "growth" not in evidence(observation)
    assert observation.message.endswith("forks fail when the pids run out")


def test_beat_of_a_probe_is_named() -> None:
    """Started ten seconds apart: process N starts N seconds after boot."""
    beat = a_snapshot()
    for number in range(12):
        beat = with_zombies(beat, 1, WEB_APP_PID, first_pid=5000 + 10 * number)

    (observation,) = run(beat)

    assert evidence(observation)["startedEvery"] == "10 s, as a probe or a timer starts its programs"


def test_growth_does_not_change_the_text() -> None:
    """A stored message is rewritten only when the first digit changes."""
    texts = {run(with_zombies(a_snapshot(), count, WEB_APP_PID))[0].message for count in (1000, 1576, 1999)}

    assert len(texts) == 1
    assert "holds 1,000+ zombies" in texts.pop()


def test_node_s_own_zombies_are_about_the_node() -> None:
    """No pod is to be deleted for them."""
    (observation,) = run(with_zombies(a_snapshot(), 12, CONTAINERD_PID))

    assert observation.subject.is_node
    assert observation.message.startswith("the node holds 10+ zombies")
    assert f"pid {CONTAINERD_PID} (containerd), a process of no listed pod, does not wait" in observation.message
    assert [one.command for one in observation.next_commands] == [
        f"ps --ppid {CONTAINERD_PID} -o pid,stat,lstart,comm",
        f"ps -ww -p {CONTAINERD_PID} -o pid,ppid,lstart,comm,cgroup",
    ]
    assert observation.rests_on == ()


def test_parent_outside_the_pod_is_not_ended_by_deleting_the_pod() -> None:
    """The shim belongs to the runtime."""
    (observation,) = run(
        with_zombies(a_snapshot(), 12, WEB_SHIM_PID, pid_namespace=FIRST_INODE + WEB_APP_PID, container_id=None)
    )

    assert observation.subject.container == "app"
    assert "a process outside the container" in observation.message
    assert all("delete" not in one.command for one in observation.next_commands)


def test_dead_of_a_container_that_has_exited_are_found() -> None:
    """With a shared PID namespace they outlive it: asked whether it runs, the runtime would only deny it."""
    dead = with_zombies(a_snapshot(), 10, SHARED_PAUSE_PID, container_id=SHARED_WORKER_ID)

    (observation,) = run(with_container(dead, SHARED_WORKER_ID, state=ContainerState.EXITED))

    assert observation.subject.container == "worker"
    assert observation.rests_on == (SHARED_SANDBOX_ID,)


def test_sandbox_without_a_container_to_blame() -> None:
    """A pause that does not reap, on cgroup v1."""
    (observation,) = run(with_zombies(a_snapshot(), 12, SHARED_PAUSE_PID, container_id=None))

    assert str(observation.subject) == "team-b/shared-y"
    assert "the pause of the sandbox" in observation.message
