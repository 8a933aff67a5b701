"""The runtime left the network namespace of a sandbox behind."""

from typing import Any

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.leaked_network_namespace import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.network_pin import NetworkPin
from pausewatch.model.process import Identity
from pausewatch.model.report import Evidence, Observation, Severity
from support.builders import a_node, a_snapshot
from support.observed import observed
from support.parts import KUBELET_PID, TAKEN_AT, identity

NAME = "cni-0f8fad5b-d9cb-469f-a165-70867728950e"
NOW = TAKEN_AT.timestamp()


def a_pin(age_seconds: float = 601, **changes: Any) -> NetworkPin:  # noqa: ANN401  any field of a pin
    """Return a pin that nobody owns or uses."""
    values = {
        "path": f"/run/netns/{NAME}",
        "inode": 4_026_532_251,
        "made_at_seconds": NOW - age_seconds,
        "processes_inside": 0,
    }
    return NetworkPin(**values | changes)


def run(*pins: NetworkPin, **changes: Any) -> tuple[Observation, ...]:  # noqa: ANN401  any section
    """Run the check on a node with these pins."""
    return observed(CHECK, a_node(a_snapshot(network_pins=pins, **changes)))


def test_healthy_node_is_silent() -> None:
    """Every pin has its sandbox."""
    assert run() == ()
    assert CHECK.run(a_node(), thresholds_of(CHECK, {})) == ()


@pytest.mark.parametrize(("age_seconds", "found"), [(599, 0), (600, 1)])
def test_bound_is_ten_minutes(age_seconds: float, found: int) -> None:
    """A pod that is being made has a pin before it has a sandbox."""
    assert len(run(a_pin(age_seconds))) == found


def test_nothing_is_older_than_the_boot() -> None:
    """A clock that was set minutes after boot makes everything from before look years old."""
    assert run(a_pin(age_seconds=1e9), uptime_seconds=599.0) == ()


def test_only_an_empty_namespace_is_leaked() -> None:
    """A process inside uses it, whoever made it."""
    assert run(a_pin(processes_inside=1)) == ()


def test_process_that_could_not_be_looked_at_may_be_inside() -> None:
    """Nothing is found then, and nothing is clean; a pin that is young is not counted yet."""
    unknown = a_node(a_snapshot(network_pins=(a_pin(processes_inside=None), a_pin(processes_inside=1))))

    outcome = CHECK.run(unknown, thresholds_of(CHECK, {}))

    assert isinstance(outcome, Unavailable)
    assert outcome.reason == "NamespacesUnreadable"
    assert run(a_pin(5, processes_inside=None)) == ()


def test_finding_tells_everything_a_reader_needs() -> None:
    """Which file, since when, who else holds it, and how to look and to remove it."""
    stranger = Identity(pid=KUBELET_PID, start_ticks=1)

    (observation,) = run(a_pin(holders=(identity(KUBELET_PID), stranger)))

    assert observation.reason == "LeakedNetworkNamespace"
    assert observation.severity is Severity.WARNING
    assert observation.subject.is_node
    assert observation.message == (
        "1 network namespace that the container runtime pinned more than 600 s ago belongs to no sandbox and no process"
        " is inside, made at 2026-11-21T09:04Z: a pod was not taken down completely, and its interfaces and perhaps its"
        " address stay in use"
    )
    assert observation.evidence == (
        Evidence(name="pin", value=f"/run/netns/{NAME}, net:[4026532251], made at 2026-11-21T09:04Z"),
        Evidence(name="alsoHeldBy", value=f"the mounts of pid {KUBELET_PID} (kubelet)"),
        Evidence(name="alsoHeldBy", value=f"the mounts of pid {KUBELET_PID}"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"ip netns pids {NAME}"),
        ("node", f'test -z "$(ip netns pids {NAME})" && ip netns delete {NAME}'),
    ]
    assert observation.rests_on == ()


def test_all_of_a_node_are_one_finding() -> None:
    """Thousands can be left; the oldest come first, and the text does not change with each new one."""
    pins = [
        a_pin(600 + number, path=f"/run/netns/cni-{number:08x}-0000-0000-0000-000000000000") for number in range(15)
    ]

    (observation,) = run(*pins)

    assert "10+ network namespaces" in observation.message
    assert [one.value.partition(",")[0] for one in observation.evidence] == [
        f"/run/netns/cni-{number:08x}-0000-0000-0000-000000000000" for number in (14, 13, 12)
    ]


def test_pin_elsewhere_is_removed_by_its_path() -> None:
    """``ip netns`` knows one directory only; containerd can have its own."""
    (observation,) = run(a_pin(path=f"/run/containerd/io.containerd.grpc.v1.cri/netns/{NAME}"))

    path = f"/run/containerd/io.containerd.grpc.v1.cri/netns/{NAME}"
    assert [one.command for one in observation.next_commands] == [
        f"findmnt {path}",
        f"test \"$(findmnt -no SOURCE {path})\" = 'nsfs[net:[4026532251]]' && umount {path}",
        f"rm {path}",
    ]
