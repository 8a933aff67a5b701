"""A pause does more than hold namespaces."""

from dataclasses import replace
from typing import Any

import pytest

from pausewatch.checks.abnormal_pause import CHECK
from pausewatch.model.process import Identity
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, present, with_pod
from support.changes import with_sandbox, with_zombies
from support.commands import DELETE_WEB
from support.observed import observed
from support.parts import (
    SHARED_SANDBOX_ID,
    UPTIME_SECONDS,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    a_pause_usage,
    a_sandbox,
    hex_id,
)

MEBIBYTE = 1 << 20


def run(snapshot: Snapshot, dead_seconds: float = 10) -> tuple[Observation, ...]:
    """Run the check on a node whose zombies have all been seen dead for so many seconds."""
    since = snapshot.uptime_seconds - dead_seconds
    node = a_node(snapshot, {zombie.identity: since for zombie in a_node(snapshot).zombies})
    return observed(CHECK, node)


def with_usage(snapshot: Snapshot | None = None, **changes: Any) -> Snapshot:  # noqa: ANN401  passed on
    """Change what the pause of web-x uses."""
    node = snapshot or a_snapshot()
    others = tuple(one for one in present(node.pause_usages) if one.sandbox_id != WEB_SANDBOX_ID)
    odd = replace(a_pause_usage(WEB_SANDBOX_ID, WEB_PAUSE_PID), **changes)
    return replace(node, pause_usages=(odd, *others))


def with_pods(count: int, **details: Any) -> Snapshot:  # noqa: ANN401  passed on
    """Add pods with nothing but a pause to the healthy node, which has two."""
    node = a_snapshot()
    for number in range(count):
        name = f"more-{number}"
        sandbox = a_sandbox(id=hex_id(name), name=name, uid=name)
        node = with_pod(node, sandbox, {}, pause_pid=10_001 + 100 * number, shared_pid=False)
        if details:
            node = with_sandbox(node, sandbox.id, **details)
    return node


def test_healthy_node_is_silent() -> None:
    """A pause sleeps."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cpu_percent": 10.0}, ""),
        ({"cpu_percent": 10.1}, "uses 10+ % of a CPU (bound 10 %)"),
        ({"cpu_percent": 99.7}, "uses 90+ % of a CPU (bound 10 %)"),
        ({"resident_bytes": 10 * MEBIBYTE}, ""),
        ({"resident_bytes": 10 * MEBIBYTE + 4096}, "holds 10+ MiB of memory (bound 10 MiB)"),
        (
            {"cpu_percent": 50.0, "resident_bytes": 2000 * MEBIBYTE},
            "uses 50+ % of a CPU (bound 10 %) and holds 2,000+ MiB of memory (bound 10 MiB)",
        ),
    ],
)
def test_bounds(changes: dict[str, float], told: str) -> None:
    """Just under and just past each of them."""
    found = run(with_usage(**changes))

    assert [f"The pause of team-a/web-x {told}: " in one.message for one in found] == ([True] if told else [])


def test_finding_tells_everything_a_reader_needs() -> None:
    """What it does, what it is, how to make sure and how to mend it."""
    (observation,) = run(with_usage(cpu_percent=99.7, program="busybox"))

    assert observation.reason == "AbnormalPause"
    assert observation.severity is Severity.WARNING
    assert str(observation.subject) == "team-a/web-x"
    assert observation.message == (
        "The pause of team-a/web-x uses 90+ % of a CPU (bound 10 %): a pause only holds the pod's Linux namespaces, so"
        " this one is broken or is no pause, and what it uses is taken from the pod and the node"
    )
    assert observation.evidence == (
        Evidence(name="pause", value="2301"),
        Evidence(name="program", value="busybox"),
        Evidence(name="image", value="localhost/pause:3.10"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", "ps -ww -p 2301 -o pid,stat,lstart,cputime,pcpu,rss,comm"),
        ("node", f"crictl inspectp {WEB_SANDBOX_ID}"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("cluster", DELETE_WEB),
    ]
    assert observation.rests_on == (WEB_SANDBOX_ID,)


@pytest.mark.parametrize(("dead_seconds", "found"), [(0, 0), (9.9, 0), (10, 1)])
def test_zombies_of_its_own(dead_seconds: float, found: int) -> None:
    """A pause reaps at once; one that was stopped for a moment does a little later."""
    observations = run(with_zombies(a_snapshot(), 2, WEB_PAUSE_PID), dead_seconds)

    assert len(observations) == found
    for one in observations:
        assert "does not reap its dead children (2 zombies)" in one.message
        assert Evidence(name="zombies", value="5000, 5001") in one.evidence
        assert one.next_commands[1].command == "ps --ppid 2301 -o pid,stat,lstart,comm"


def test_zombies_of_a_container_are_another_matter() -> None:
    """See zombie-buildup."""
    assert run(with_zombies(a_snapshot(), 100, WEB_APP_PID)) == ()


def test_pause_that_is_still_runc_is_silent() -> None:
    """runc becomes the pause in the end; until then it holds the memory of a Go program."""
    young = Identity(pid=WEB_PAUSE_PID, start_ticks=int(UPTIME_SECONDS - 9) * 100)

    assert run(with_usage(identity=young, resident_bytes=20 * MEBIBYTE)) == ()


def test_virtual_machine_is_not_judged() -> None:
    """Its monitor stands where a pause would be."""
    machine = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, runtime_type="io.containerd.kata.v2")

    assert run(with_usage(machine, cpu_percent=100, resident_bytes=2000 * MEBIBYTE)) == ()


def test_sandbox_that_is_not_listed() -> None:
    """See unlisted-pause."""
    listed = tuple(one for one in present(a_snapshot().sandboxes) if one.id == SHARED_SANDBOX_ID)

    assert run(with_usage(a_snapshot(sandboxes=listed), cpu_percent=100)) == ()


@pytest.mark.parametrize(("more", "found"), [(1, 0), (2, 1), (20, 1)])
def test_another_program_than_all_others(more: int, found: int) -> None:
    """Three others are proof enough; two are not."""
    observations = run(with_usage(with_pods(more), program="busybox"))

    assert len(observations) == found
    for one in observations:
        assert "runs the program busybox where all others of its image run pause" in one.message


@pytest.mark.parametrize(
    "details",
    [{"image": "localhost/pause:3.11"}, {"runtime_handler": "other"}],
    ids=["another image", "another handler"],
)
def test_pauses_of_another_kind_prove_nothing(details: dict[str, str]) -> None:
    """Each image has its own program."""
    assert run(with_usage(with_pods(5, **details), program="busybox")) == ()


def test_program_that_could_not_be_read() -> None:
    """Unknown is not different."""
    assert run(with_usage(with_pods(5), program="")) == ()


def test_two_programs_among_the_others() -> None:
    """A new image of the same name comes into use: nobody knows which one is right."""
    changing = with_pods(5)
    second = [replace(one, program="podpause") for one in present(changing.pause_usages)[-1:]]
    changing = replace(changing, pause_usages=(*present(changing.pause_usages)[:-1], *second))

    assert run(with_usage(changing, program="busybox")) == ()
    assert run(with_usage(changing, program="podpause")) == ()


def test_image_that_is_not_told() -> None:
    """CRI-O before 1.27 and cri-dockerd do not tell it: nothing can be compared."""
    unknown = with_pods(5, image="")
    unknown = with_sandbox(with_sandbox(unknown, WEB_SANDBOX_ID, image=""), SHARED_SANDBOX_ID, image="")

    assert run(with_usage(unknown, program="busybox")) == ()
    (busy,) = run(with_usage(unknown, cpu_percent=50))
    assert Evidence(name="image", value="not told") in busy.evidence
