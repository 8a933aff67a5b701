"""A shim goes on although there is nothing left to watch over."""

from dataclasses import replace
from typing import Any

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.orphaned_shim import CHECK
from pausewatch.model.membership import MonitorKind
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, adding
from support.observed import observed
from support.parts import a_monitor, a_process, a_runtime, hex_id

GONE_ID = hex_id("gone")
SHIM_PID = 3900


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check with its defaults."""
    return observed(CHECK, a_node(snapshot))


def orphaned(**changes: Any) -> Snapshot:  # noqa: ANN401  passed on
    """Return a node with a shim without a process, whose owner is not listed."""
    shim = a_monitor(SHIM_PID, GONE_ID, unlisted_seconds=10)
    return adding(
        a_snapshot(),
        processes=[a_process(SHIM_PID, name="containerd-shim")],
        monitors=[replace(shim, **changes)],
    )


def test_healthy_node_is_silent() -> None:
    """Each shim watches over a listed sandbox."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(("seconds", "found"), [(0, 0), (9.9, 0), (10, 1)])
def test_shim_that_has_just_started_is_silent(seconds: float, found: int) -> None:
    """It starts before its sandbox is listed; the threshold of five minutes comes on top."""
    assert len(run(orphaned(unlisted_seconds=seconds))) == found
    assert CHECK.persistence_seconds(thresholds_of(CHECK, {})) == 300


def test_finding_tells_everything_a_reader_needs() -> None:
    """Which process it is, for whom it was started, and how to end it."""
    (observation,) = run(orphaned())

    assert observation.reason == "OrphanedShim"
    assert observation.severity is Severity.WARNING
    assert observation.subject.finding_id(CHECK.id, observation.part) == f"orphaned-shim/node/{GONE_ID[:12]}-3900"
    assert observation.message == (
        "The containerd-shim with pid 3900 has watched over nothing for 300 s or more: the runtime lists neither a"
        f" sandbox nor a container {GONE_ID[:12]}, and no process of it is left; it keeps its memory, and nothing will"
        " end it"
    )
    assert observation.evidence == (
        Evidence(name="monitor", value="3900 containerd-shim"),
        Evidence(name="ownerId", value=GONE_ID),
        Evidence(name="runtimeNamespace", value="k8s.io"),
    )
    containerd = "ctr --address /run/containerd/containerd.sock --namespace k8s.io"
    assert [one.command for one in observation.next_commands] == [
        "ps -ww -p 3900 -o pid,ppid,lstart,args",
        f"{containerd} tasks ls",
        f"{containerd} tasks delete {GONE_ID}",
    ]
    assert observation.rests_on == ()


@pytest.mark.parametrize(
    "changes",
    [{"is_ours": False}, {"runtime_namespace": "moby"}, {"owner_id": "buildkit-xyz"}, {"owner_id": "my-test"}],
    ids=["another runtime", "Docker", "BuildKit", "ctr"],
)
def test_what_others_run_is_theirs(changes: dict[str, Any]) -> None:
    """Only what the CRI made must be listed by the CRI."""
    assert run(orphaned(**changes)) == ()


def test_shim_with_a_process_is_another_matter() -> None:
    """See unlisted-pause. A dead one does not count: nobody has to be watched over any more."""
    living = adding(orphaned(), processes=[a_process(3901, parent_pid=SHIM_PID)])
    dead = adding(orphaned(), processes=[a_process(3901, parent_pid=SHIM_PID, state="Z")])

    assert run(living) == ()
    assert len(run(dead)) == 1


def test_two_shims_of_one_id_are_two_findings() -> None:
    """Each is a process of its own."""
    both = adding(
        orphaned(),
        processes=[a_process(3910, name="containerd-shim")],
        monitors=[a_monitor(3910, GONE_ID, unlisted_seconds=10)],
    )

    assert len({observation.part for observation in run(both)}) == 2


def test_conmon_of_cri_o() -> None:
    """containerd's client is of no use there."""
    crio = a_runtime(name="cri-o", endpoint="unix:///run/crio/crio.sock")

    (observation,) = run(replace(orphaned(kind=MonitorKind.CONMON, runtime_namespace=""), runtime=crio))

    assert observation.message.startswith("The conmon with pid 3900")
    assert Evidence(name="runtimeNamespace", value="none") in observation.evidence
    assert [one.command.split()[0] for one in observation.next_commands] == ["ps"]
