"""The checks of addresses test what is judged; here is what they have in common."""

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod_address import AddressedPod, may_change_network, why_nothing_was_seen
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.sandbox import ContainerState
from support.builders import a_node
from support.parts import (
    SHARED_SANDBOX_ID,
    WEB_APP_ID,
    WEB_SANDBOX_ID,
    a_container,
    a_pod_network,
    a_sandbox,
    container_details,
)


def pod(inside: PodNetwork | None, not_comparable: str = "") -> AddressedPod:
    """Return web-x, with two addresses of its runtime."""
    return AddressedPod(
        sandbox=a_sandbox(), told=("10.200.0.3", "2001:db8::3"), inside=inside, not_comparable=not_comparable
    )


def test_healthy_node() -> None:
    """All pods with a network of their own are judged, and were looked into."""
    pods = a_node().addressed_pods

    assert [one.sandbox.id for one in pods] == [WEB_SANDBOX_ID, SHARED_SANDBOX_ID]
    assert [(one.told, one.held, one.missing, one.is_cut_off) for one in pods] == [
        (("10.200.0.3",), ("10.200.0.3",), (), False),
        (("10.200.0.4",), ("10.200.0.4",), (), False),
    ]


def test_what_is_inside_decides() -> None:
    """The runtime remembers what it gave away, not what became of it."""
    one = pod(a_pod_network(addresses=("10.200.0.3", "10.200.0.9"), links_up=()))

    assert one.held == ("10.200.0.3", "10.200.0.9")
    assert one.missing == ("2001:db8::3",)
    assert one.is_cut_off


def test_where_nobody_looked_the_runtime_is_believed() -> None:
    """Nothing is missing then."""
    one = pod(None)

    assert one.held == ("10.200.0.3", "2001:db8::3")
    assert (one.missing, one.is_cut_off) == ((), False)
    assert one.rests_on == (WEB_SANDBOX_ID,)


def test_suspicion_rests_on_the_container_that_was_looked_through() -> None:
    """Without a pause it is a container's process that has to be the same afterwards."""
    assert pod(a_pod_network(process_owner_id=WEB_APP_ID)).rests_on == (WEB_SANDBOX_ID, WEB_APP_ID)
    assert pod(a_pod_network()).rests_on == (WEB_SANDBOX_ID,)


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ((), ""),
        ((pod(a_pod_network()), pod(None)), ""),
        ((pod(None), pod(None, "runtime type kata")), "NetworksUnreadable"),
        ((pod(None, "runtime type kata"),), "NotComparable"),
    ],
)
def test_why_nothing_was_seen(pods: tuple[AddressedPod, ...], reason: str) -> None:
    """One pod that was looked into is enough; none at all is fine."""
    found = why_nothing_was_seen(pods)

    assert (found.reason if found is not None else "") == reason


def test_container_without_status_may_have_changed_anything() -> None:
    """Nobody knows what it may."""
    unknown = a_container(details=Unavailable(reason="StatusUnreadable", detail=""))

    assert may_change_network((unknown,))


def test_pod_without_a_container_may_have_one_by_now() -> None:
    """It is read after the containers were listed."""
    assert may_change_network(())


@pytest.mark.parametrize(
    ("state", "able", "expected"),
    [
        (ContainerState.RUNNING, None, True),
        (ContainerState.CREATED, None, True),
        (ContainerState.EXITED, None, False),
        (ContainerState.EXITED, True, True),
        (ContainerState.RUNNING, False, False),
    ],
)
def test_may_change_network(state: ContainerState, *, able: bool | None, expected: bool) -> None:
    """One container with the capability is enough."""
    harmless = a_container()
    container = a_container(state=state, details=container_details(may_change_network=able))

    assert may_change_network((harmless, container)) is expected
