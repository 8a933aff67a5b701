"""Addresses of pods are given away for good, and run out."""

from typing import Any

import pytest

from pausewatch.checks._check import thresholds_of
from pausewatch.checks.leaked_pod_address import CHECK
from pausewatch.model.address_pool import AddressPool, AddressRange, ReservedAddress
from pausewatch.model.membership import Membership
from pausewatch.model.report import Evidence, Observation, Severity
from support.builders import a_node, a_snapshot
from support.observed import observed
from support.parts import TAKEN_AT, WEB_SANDBOX_ID, an_address_pool, hex_id, identity

NOW = TAKEN_AT.timestamp()
GONE = hex_id("gone")
DIRECTORY = "/var/lib/cni/networks/cbr0"


def a_reservation(age_seconds: float = 601, **changes: Any) -> ReservedAddress:  # noqa: ANN401  any field
    """Return an address that is reserved for a sandbox that is gone."""
    values = {"address": "10.200.0.9", "owner_id": GONE, "interface": "eth0", "reserved_at_seconds": NOW - age_seconds}
    return ReservedAddress(**values | changes)


def a_range(reserved: int, addresses: int = 253, subnet: str = "10.200.0.0/24") -> AddressRange:
    """Return a range of which so many addresses are reserved."""
    return AddressRange(subnets=(subnet,), addresses=addresses, reserved=reserved)


def run(pool: AddressPool, **changes: Any) -> tuple[Observation, ...]:  # noqa: ANN401  any section
    """Run the check on a node with this pool."""
    return observed(CHECK, a_node(a_snapshot(address_pools=(pool,), **changes)))


def leak(*reservations: ReservedAddress, **changes: Any) -> tuple[Observation, ...]:  # noqa: ANN401  any section
    """Run the check on a node with these reservations of nobody."""
    return run(an_address_pool(unlisted=reservations), **changes)


def test_healthy_node_is_silent() -> None:
    """Every address belongs to a pod, and most are free."""
    assert run(an_address_pool()) == ()
    assert CHECK.run(a_node(a_snapshot(address_pools=())), thresholds_of(CHECK, {})) == ()


@pytest.mark.parametrize(("age_seconds", "found"), [(599, 0), (600, 1)])
def test_bound_is_ten_minutes(age_seconds: float, found: int) -> None:
    """A pod gets its address before it has a sandbox."""
    assert len(leak(a_reservation(age_seconds))) == found


def test_nothing_is_older_than_the_boot() -> None:
    """After a reboot pods get ten minutes to come back; a clock that was set late does not count."""
    assert leak(a_reservation(age_seconds=1e9), uptime_seconds=599.0) == ()
    assert len(leak(a_reservation(age_seconds=1e9), uptime_seconds=601.0)) == 1


def test_address_of_a_listed_sandbox_is_its_own() -> None:
    """It was listed between the two reads."""
    assert leak(a_reservation(owner_id=WEB_SANDBOX_ID)) == ()


def test_address_of_a_living_container_is_in_use() -> None:
    """Somebody else's container can be in the runtime's network (podman run --network cbr0)."""
    living = Membership(identity=identity(77), cgroup_path=f"/machine/{GONE}", container_id=GONE)

    assert leak(a_reservation(), memberships=(living,)) == ()


def test_leak_tells_everything_a_reader_needs() -> None:
    """Which address, for whom, since when, and how to make sure and to give it back."""
    (observation,) = leak(a_reservation())

    assert observation.reason == "LeakedPodAddress"
    assert observation.severity is Severity.WARNING
    assert observation.subject.is_node
    assert observation.message == (
        "1 address of the CNI network cbr0 was reserved more than 600 s ago for a sandbox that the container runtime"
        " does not have: nothing will give it back, and when all are used no new pod gets an address"
    )
    assert observation.evidence == (
        Evidence(name="directory", value=DIRECTORY),
        Evidence(name="reservation", value=f"10.200.0.9 for {GONE} since 2026-11-21T09:04Z"),
        Evidence(name="range", value="10.200.0.0/24: 2 of 253 reserved"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"crictl pods --no-trunc --id {GONE}"),
        ("node", f"grep -rl -e {GONE} {DIRECTORY}"),
        ("node", f"grep -q -F -e {GONE} {DIRECTORY}/10.200.0.9 && rm {DIRECTORY}/10.200.0.9"),
    ]
    assert observation.rests_on == ()


def test_several_lost_addresses_are_one_finding() -> None:
    """They have one cause, and there can be thousands."""
    (observation,) = leak(*(a_reservation(601, address=f"10.200.0.{last}") for last in range(10, 25)))

    assert observation.message.startswith("10+ addresses of the CNI network cbr0 were reserved")


@pytest.mark.parametrize(("reserved", "found"), [(89, 0), (90, 1), (100, 1)])
def test_range_is_nearly_used_from_nine_tenths_on(reserved: int, found: int) -> None:
    """Room for a few pods is left then, and none for what a drained neighbour sends over."""
    assert len(run(an_address_pool(ranges=(a_range(reserved, 100),)))) == found


def test_nearly_used_range_says_what_comes_next() -> None:
    """Critical: the next pods will not start. Each range is judged by itself: a pod needs an address of every one."""
    wide = a_range(231, addresses=2**64 - 2, subnet="fd00::/64")

    (observation,) = run(an_address_pool(ranges=(a_range(231), wide), unlisted=(a_reservation(0),)))

    assert observation.reason == "AddressPoolNearlyUsed"
    assert observation.severity is Severity.CRITICAL
    assert observation.message == (
        "At least 90 % of the 253 addresses in 10.200.0.0/24 of the CNI network cbr0 are reserved: when none is left,"
        " new pods stay in ContainerCreating"
    )
    assert Evidence(name="range", value="10.200.0.0/24: 200+ of 253 reserved") in observation.evidence
    assert [one.command for one in observation.next_commands] == [f"ls {DIRECTORY}", "crictl pods"]


def test_full_range_and_what_of_it_is_lost() -> None:
    """Both findings: the loss is what to mend, the fullness is why it hurts now."""
    lost, full = run(an_address_pool(ranges=(a_range(253),), unlisted=(a_reservation(),)))

    assert (lost.reason, full.reason) == ("LeakedPodAddress", "AddressPoolNearlyUsed")
    assert full.message == (
        "All 253 addresses in 10.200.0.0/24 of the CNI network cbr0 are reserved, 1 of them for nobody: new pods stay"
        " in ContainerCreating"
    )


def test_range_without_addresses_is_not_judged() -> None:
    """Nothing could be given away from it at all."""
    assert run(an_address_pool(ranges=(a_range(0, addresses=0),))) == ()
