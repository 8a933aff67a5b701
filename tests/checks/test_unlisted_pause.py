"""The runtime runs a pod's process and does not list it."""

from dataclasses import replace
from typing import Any

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.unlisted_pause import CHECK
from pausewatch.model.membership import MonitorKind
from pausewatch.model.next_commands import unless_listed
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, adding
from support.changes import with_container
from support.observed import observed
from support.parts import WEB_APP_ID, a_membership, a_monitor, a_process, a_runtime, hex_id

GONE_ID = hex_id("gone")
SHIM_PID, PAUSE_PID = 3900, 3901


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check with its defaults."""
    return observed(CHECK, a_node(snapshot))


def unlisted(seconds: float = 10, *, parent_pid: int = SHIM_PID, **shim: Any) -> Snapshot:  # noqa: ANN401  passed on
    """Return a node with a pause that the runtime does not list; ``shim`` changes its monitor."""
    return adding(
        a_snapshot(),
        processes=[
            a_process(SHIM_PID, name="containerd-shim"),
            a_process(PAUSE_PID, parent_pid=parent_pid, name="pause"),
        ],
        memberships=[a_membership(SHIM_PID), a_membership(PAUSE_PID, GONE_ID, stray_seconds=seconds)],
        monitors=[a_monitor(SHIM_PID, GONE_ID, **shim)],
    )


def test_healthy_node_is_silent() -> None:
    """Every process is of something that is listed."""
    assert run(a_snapshot()) == ()


@pytest.mark.parametrize(("seconds", "found"), [(0, 0), (9.9, 0), (10, 1)])
def test_what_is_being_started_is_silent(seconds: float, found: int) -> None:
    """A pause runs before its sandbox is listed; the threshold of five minutes comes on top."""
    assert len(run(unlisted(seconds))) == found
    assert CHECK.persistence_seconds(thresholds_of(CHECK, {})) == 300


def test_finding_tells_everything_a_reader_needs() -> None:
    """What it is, who started it, how to see whose it is, and how to end it."""
    (observation,) = run(unlisted())

    assert observation.reason == "UnlistedPause"
    assert observation.severity is Severity.WARNING
    assert observation.subject.finding_id(CHECK.id, observation.part) == f"unlisted-pause/node/{GONE_ID[:12]}"
    assert observation.message == (
        f"The runtime runs 1 process as container {GONE_ID[:12]} in the cgroup of a pod and has not listed it for 300 s"
        " or more: neither the kubelet nor crictl sees it, and nothing will stop it"
    )
    assert observation.evidence == (
        Evidence(name="containerId", value=GONE_ID),
        Evidence(name="cgroup", value=a_membership(PAUSE_PID, GONE_ID).cgroup_path),
        Evidence(name="processes", value="3901 pause"),
        Evidence(name="monitor", value="3900"),
    )
    containerd = "ctr --address /run/containerd/containerd.sock --namespace k8s.io"
    assert [one.command for one in observation.next_commands][1:] == [
        f"{containerd} containers info {GONE_ID}",
        unless_listed(GONE_ID, f"{containerd} tasks delete --force {GONE_ID}"),
        f"{containerd} containers delete {GONE_ID}",
    ]
    assert GONE_ID in observation.next_commands[0].command
    assert observation.rests_on == ()


@pytest.mark.parametrize(
    "shim",
    [{"is_ours": False}, {"runtime_namespace": "moby"}, {"runtime_namespace": "default"}],
    ids=["another runtime", "Docker", "ctr"],
)
def test_what_others_run_is_theirs(shim: dict[str, Any]) -> None:
    """Only what the CRI made must be listed by the CRI."""
    assert run(unlisted(**shim)) == ()


def test_process_without_a_shim_is_another_matter() -> None:
    """See unmanaged-process."""
    assert run(unlisted(parent_pid=1)) == ()


def test_exited_container_is_another_matter() -> None:
    """It is listed."""
    exited = with_container(unlisted(), WEB_APP_ID, state=ContainerState.EXITED)
    memberships = [a_membership(PAUSE_PID, WEB_APP_ID, stray_seconds=60)]

    assert run(replace(exited, memberships=tuple(memberships))) == ()


def test_conmon_of_cri_o() -> None:
    """containerd's client is of no use there."""
    crio = a_runtime(name="cri-o", endpoint="unix:///run/crio/crio.sock")

    (observation,) = run(replace(unlisted(kind=MonitorKind.CONMON, runtime_namespace=""), runtime=crio))

    (command,) = observation.next_commands
    assert command.command.startswith("find ")
