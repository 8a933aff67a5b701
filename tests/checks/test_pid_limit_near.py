"""Zombies have used up most of a limit on processes."""

import pytest

from pausewatch.checks.pid_limit_near import CHECK
from pausewatch.model.history import History
from pausewatch.model.pid_limit import PidLimit
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from pausewatch.model.zombie_growth import ZombieCount
from support.builders import a_node, a_snapshot
from support.changes import with_zombies
from support.commands import DELETE_SHARED, DELETE_WEB
from support.observed import observed
from support.parts import (
    CONTAINERD_PID,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_SIDE_PID,
)

POD = "/sys/fs/cgroup/kubepods/pod1"
MACHINE = PidLimit(directory="", owner_ids=(), tasks=500, most_tasks=32_768)


def limit(
    tasks: int, most_tasks: int = 1000, *owner_ids: str, directory: str = f"{POD}/{WEB_APP_ID}"
) -> tuple[PidLimit, ...]:
    """Return a bound above "app" of web-x, or above others, and the machine's, which is far away."""
    near = PidLimit(directory=directory, owner_ids=owner_ids or (WEB_APP_ID,), tasks=tasks, most_tasks=most_tasks)
    return (near, MACHINE)


def run(
    snapshot: Snapshot, *, seen: float = 30, growth_per_minute: int | None = None, **thresholds: float
) -> tuple[Observation, ...]:
    """Run the check on a node whose zombies have all been seen dead for so many seconds."""
    since = snapshot.uptime_seconds - seen
    counts = [
        ZombieCount(uptime_seconds=snapshot.uptime_seconds - 60 * ago, zombies=1000 - ago * (growth_per_minute or 0))
        for ago in range(9, 0, -1)
    ]
    history = History(
        zombies_seen_since={zombie.identity: since for zombie in a_node(snapshot).zombies},
        zombie_counts={} if growth_per_minute is None else {WEB_APP_ID: tuple(counts)},
    )
    return observed(CHECK, NodeView(snapshot, history), thresholds)


def with_limits(zombies: int, limits: tuple[PidLimit, ...], parent_pid: int = WEB_APP_PID) -> Snapshot:
    """Return a node with zombies of one parent, and bounds."""
    return with_zombies(a_snapshot(pid_limits=limits), zombies, parent_pid)


def test_healthy_node_is_silent() -> None:
    """No bound is read where there are few zombies."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(("tasks", "found"), [(799, 0), (800, 1)])
def test_four_fifths_of_the_limit_are_the_bound(tasks: int, found: int) -> None:
    """Just under and at it."""
    assert len(run(with_limits(400, limit(tasks)))) == found


@pytest.mark.parametrize(("zombies", "found"), [(249, 0), (250, 1)])
def test_a_quarter_of_the_limit_must_be_zombies(zombies: int, found: int) -> None:
    """A limit that living processes fill is not ours to report."""
    assert len(run(with_limits(zombies, limit(950)))) == found


def test_zombies_seen_for_the_first_time_do_not_count() -> None:
    """A shell that is busy leaves many for moments."""
    assert run(with_limits(900, limit(950)), seen=0) == ()


def test_zombies_of_others_do_not_count() -> None:
    """A full limit beside a pod with zombies."""
    assert run(with_limits(900, limit(950, 1000, WEB_SIDE_ID))) == ()


def test_thresholds_can_be_moved() -> None:
    """By their declared names."""
    assert len(run(with_limits(100, limit(500)), used_percent=50, zombie_percent=10)) == 1


def test_finding_tells_everything_a_reader_needs() -> None:
    """How near, what takes it, whose child it is, what happens then, what to type."""
    (observation,) = run(with_limits(750, limit(847)))

    assert (observation.reason, observation.severity) == ("PidLimitNear", Severity.CRITICAL)
    assert str(observation.subject) == "team-a/web-x/app"
    assert observation.message == (
        "team-a/web-x/app uses 80 % or more of the 1,000 tasks that pids.max allows, and 700+ of them are zombies, most"
        f" of pid {WEB_APP_PID} (app), PID 1 of the container, which does not wait; at 1,000 forks fail and no program"
        " starts"
    )
    assert observation.evidence == (
        Evidence(name="limit", value="pids.max 1,000"),
        Evidence(name="cgroup", value=f"{POD}/{WEB_APP_ID}"),
        Evidence(name="tasks", value="800+"),
        Evidence(name="zombies", value="700+"),
        Evidence(name="parent", value=f"pid {WEB_APP_PID} (app), PID 1 of the container: 700+ zombies"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"cd {POD}/{WEB_APP_ID} && grep . pids.current pids.max"),
        ("node", f"ps --ppid {WEB_APP_PID} -o pid,stat,lstart,comm"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("cluster", DELETE_WEB),
    ]
    assert observation.rests_on == (WEB_APP_ID, WEB_SANDBOX_ID)


@pytest.mark.parametrize("tasks", [1000, 1003])
def test_limit_that_is_reached_is_told_as_such(tasks: int) -> None:
    """Forks fail now; a bound that was lowered may be exceeded."""
    (observation,) = run(with_limits(750, limit(tasks)))

    assert observation.message.startswith(
        "team-a/web-x/app can start no process: all 1,000 tasks that pids.max allows are used"
    )
    assert observation.message.endswith("every fork fails with 'Resource temporarily unavailable'")


def test_steady_growth_tells_when() -> None:
    """150 free, five more a minute: half an hour from 09:14:03."""
    (observation,) = run(with_limits(750, limit(850)), growth_per_minute=5)

    assert "at 1,000, at this pace about 09:45Z, forks fail" in observation.message
    assert observation.evidence[-1] == Evidence(name="growth", value="200+ more an hour")


def test_growth_does_not_change_the_text() -> None:
    """A stored message is rewritten only when the first digit changes."""
    texts = {run(with_limits(zombies, limit(zombies + 100)))[0].message for zombies in (700, 750, 790)}

    assert len(texts) == 1


def test_of_nested_limits_the_nearest_is_told() -> None:
    """The pod's is tighter than the container's own: one finding, about the container."""
    limits = (*limit(850, 5000), *limit(860, 1000, directory=POD))

    (observation,) = run(with_limits(750, limits))

    assert str(observation.subject) == "team-a/web-x/app"
    assert Evidence(name="cgroup", value=POD) in observation.evidence


def test_limit_of_several_containers_is_about_their_pod() -> None:
    """None of them alone."""
    limits = limit(900, 1000, WEB_APP_ID, WEB_SIDE_ID, directory=POD)
    snapshot = with_zombies(with_limits(200, limits), 300, WEB_SIDE_PID, first_pid=7000)

    (observation,) = run(snapshot)

    assert str(observation.subject) == "team-a/web-x"
    assert "500+ of them are zombies, most of pid 2321 (side)" in observation.message
    assert observation.rests_on == (WEB_SIDE_ID, WEB_APP_ID, WEB_SANDBOX_ID)


def test_limit_of_several_pods_is_about_the_node() -> None:
    """The bound of all pods together."""
    limits = limit(900, 1000, WEB_APP_ID, SHARED_SANDBOX_ID, directory="/sys/fs/cgroup/kubepods")
    snapshot = with_zombies(
        with_limits(200, limits), 300, SHARED_PAUSE_PID, first_pid=7000, container_id=None, pid_namespace=None
    )

    (observation,) = run(snapshot)

    assert observation.subject.is_node
    assert observation.next_commands[-1].command == DELETE_SHARED


def test_limit_of_the_machine_is_about_the_node() -> None:
    """Also where the zombies are a daemon's: then no pod is to be deleted."""
    full = PidLimit(directory="", owner_ids=(), tasks=30_000, most_tasks=32_768)

    (observation,) = run(with_limits(9000, (full,), CONTAINERD_PID))

    assert observation.subject.is_node
    assert "32,768 tasks that min(kernel.pid_max, kernel.threads-max) allows" in observation.message
    assert [one.command for one in observation.next_commands] == [
        "grep . /proc/loadavg /proc/sys/kernel/pid_max /proc/sys/kernel/threads-max",
        f"ps --ppid {CONTAINERD_PID} -o pid,stat,lstart,comm",
    ]
    assert observation.rests_on == ()
