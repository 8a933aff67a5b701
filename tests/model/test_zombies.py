"""Whose the zombies are and who should have reaped them."""

from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Identity
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.zombies import ELSEWHERE, ParentRole, ZombieGroup, start_period_seconds, zombie_groups
from support.builders import a_node, a_snapshot, adding, present
from support.changes import with_zombies, with_zombies_of_another_node
from support.parts import (
    CONTAINERD_PID,
    FIRST_INODE,
    HOST_LINKS,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    SHARED_WORKER_ID,
    SHARED_WORKER_PID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SHIM_PID,
    a_process,
    hex_id,
)


def groups(snapshot: Snapshot) -> tuple[ZombieGroup, ...]:
    """Group all zombies of a node."""
    node = a_node(snapshot)
    return zombie_groups(node, node.zombies)


def names(group: ZombieGroup) -> tuple[str, str]:
    """Return the names of pod and container, empty where there is none."""
    return (group.sandbox.name if group.sandbox else "", group.container.name if group.container else "")


def test_healthy_node_has_none() -> None:
    """Nothing to group."""
    assert groups(a_snapshot()) == ()


def test_first_process_that_never_waits() -> None:
    """The usual case: the application is PID 1 and no init."""
    (group,) = groups(with_zombies(a_snapshot(), 16, WEB_APP_PID))

    assert names(group) == ("web-x", "app")
    assert len(group.zombies) == 16
    assert [(parent.pid, parent.role, parent.zombies) for parent in group.parents] == [
        (WEB_APP_PID, ParentRole.PID_ONE, 16)
    ]


def test_own_pid_namespace_places_before_cgroup() -> None:
    """On cgroup v1 a zombie shows no cgroup at all, and its namespace is enough."""
    (group,) = groups(with_zombies(a_snapshot(), 3, WEB_APP_PID, container_id=None))

    assert names(group) == ("web-x", "app")


def test_cgroup_places_in_a_shared_pid_namespace() -> None:
    """The namespace is the whole pod's there; pause adopts orphans of every container."""
    snapshot = with_zombies(a_snapshot(), 3, SHARED_PAUSE_PID, container_id=SHARED_WORKER_ID)

    (group,) = groups(snapshot)

    assert names(group) == ("shared-y", "worker")
    assert group.parents[0].role is ParentRole.PAUSE


def test_parent_places_where_namespace_and_cgroup_do_not() -> None:
    """cgroup v1 and a shared PID namespace: a living parent that never waits, and is not PID 1."""
    (group,) = groups(with_zombies(a_snapshot(), 3, SHARED_WORKER_PID, container_id=None))

    assert names(group) == ("shared-y", "worker")
    assert group.parents[0].role is ParentRole.FIRST_PROCESS


def test_pause_that_does_not_reap_is_the_sandbox_s() -> None:
    """Nothing tells whose child it was, so no container is blamed."""
    (group,) = groups(with_zombies(a_snapshot(), 3, SHARED_PAUSE_PID, container_id=None))

    assert names(group) == ("shared-y", "")
    assert group.parents[0].role is ParentRole.PAUSE


def test_parent_deep_in_the_container_is_a_member() -> None:
    """A program that starts children and forgets them: making PID 1 an init would not help."""
    middle = adding(a_snapshot(), processes=(a_process(2500, parent_pid=WEB_APP_PID, name="worker"),))
    snapshot = with_zombies(middle, 3, 2500, pid_namespace=FIRST_INODE + WEB_APP_PID, container_id=WEB_APP_ID)
    placed = replace(
        snapshot,
        placements=tuple(
            replace(one, container_id=WEB_APP_ID, pid_namespace=FIRST_INODE + WEB_APP_PID)
            for one in snapshot.placements
        ),
    )

    (group,) = groups(placed)

    assert names(group) == ("web-x", "app")
    assert group.parents[0].role is ParentRole.MEMBER


def test_parent_outside_the_container() -> None:
    """A shim that does not reap what it started in the container."""
    (group,) = groups(with_zombies(a_snapshot(), 3, WEB_SHIM_PID, pid_namespace=FIRST_INODE + WEB_APP_PID))

    assert names(group) == ("web-x", "app")
    assert group.parents[0].role is ParentRole.OTHER


def test_zombies_of_no_pod_are_the_node_s() -> None:
    """A daemon of the node, or a container of another runtime."""
    daemon = groups(with_zombies(a_snapshot(), 3, CONTAINERD_PID))
    stranger = groups(with_zombies(a_snapshot(), 3, CONTAINERD_PID, container_id=hex_id("moby")))

    assert [names(group) for group in (*daemon, *stranger)] == [("", ""), ("", "")]
    assert [group.parents[0].role for group in (*daemon, *stranger)] == [ParentRole.OF_NO_POD] * 2


def test_zombies_in_pods_of_another_node_are_elsewhere() -> None:
    """A node of kind on the same machine: its kubelet's pods are in another place of the tree of cgroups."""
    own, theirs = groups(with_zombies_of_another_node(with_zombies(a_snapshot(), 2, CONTAINERD_PID), 3))

    assert (own.elsewhere, own.owner_id, len(own.zombies)) == (False, "", 2)
    assert (theirs.elsewhere, theirs.owner_id, len(theirs.zombies)) == (True, ELSEWHERE, 3)
    assert theirs.parents[0].role is ParentRole.OF_NO_POD


def test_without_cgroups_nobody_is_elsewhere() -> None:
    """Unknown is not another's."""
    snapshot = with_zombies_of_another_node(a_snapshot(), 3)
    unread = replace(snapshot, memberships=Unavailable(reason="Missing", detail="it is missing"))
    strangers = tuple(one for one in present(snapshot.memberships) if one.identity.pid == 7000)

    for unknown in (unread, replace(snapshot, memberships=strangers)):
        (group,) = groups(unknown)
        assert not group.elsewhere


def test_host_pid_pod_is_told_by_cgroup() -> None:
    """Its zombies are in the node's PID namespace, which belongs to no container."""
    (group,) = groups(
        with_zombies(a_snapshot(), 3, CONTAINERD_PID, pid_namespace=HOST_LINKS.pid, container_id=WEB_APP_ID)
    )

    assert names(group) == ("web-x", "app")


def test_parent_with_the_most_comes_first() -> None:
    """Equal counts are ordered by pid."""
    few = with_zombies(a_snapshot(), 2, WEB_SHIM_PID, pid_namespace=FIRST_INODE + WEB_APP_PID)
    (group,) = groups(with_zombies(few, 5, WEB_APP_PID, first_pid=6000))

    assert [(parent.pid, parent.zombies) for parent in group.parents] == [(WEB_APP_PID, 5), (WEB_SHIM_PID, 2)]


def test_parent_that_ended_during_the_scan_is_gone() -> None:
    """Its children go with it in a moment."""
    orphaned = with_zombies(a_snapshot(), 3, 4999, pid_namespace=FIRST_INODE + WEB_APP_PID)
    (group,) = groups(orphaned)

    assert group.parents[0].role is ParentRole.GONE
    assert group.parents[0].process is None


@pytest.mark.parametrize(
    ("started", "period"),
    [
        ([10, 20, 30, 40, 50, 60], 10),
        ([10, 20, 30, 41, 50, 60], 10),
        ([10, 20, 30, 40, 60, 70, 80], 10),
        ([10, 10.4, 11, 20, 20.3, 30, 40, 50, 60], 10),
        ([1, 1.9, 500, 600, 700, 800, 900, 1000], 100),
        ([10, 20, 30, 40, 50], None),
        ([10, 25, 27, 40, 61, 90, 96], None),
        ([1, 2, 3, 4, 5, 6, 7, 8], None),
        ([], None),
    ],
    ids=[
        "even",
        "a second late",
        "one missing",
        "several programs each",
        "others before",
        "too few",
        "uneven",
        "a storm",
        "none",
    ],
)
def test_beat_of_starts(started: list[float], period: int | None) -> None:
    """Probes and timers start their programs in equal intervals."""
    zombies = [
        replace(a_process(5000, state="Z"), identity=Identity(pid=5000 + number, start_ticks=int(seconds * 100)))
        for number, seconds in enumerate(started)
    ]

    assert start_period_seconds(zombies) == period


def test_owner_is_the_container_the_sandbox_or_nobody() -> None:
    """What earlier counts and pid limits are found by."""
    (of_container,) = groups(with_zombies(a_snapshot(), 1, WEB_APP_PID))
    (of_sandbox,) = groups(with_zombies(a_snapshot(), 1, SHARED_PAUSE_PID, container_id=None))
    (of_node,) = groups(with_zombies(a_snapshot(), 1, CONTAINERD_PID))

    assert (of_container.owner_id, of_sandbox.owner_id, of_node.owner_id) == (WEB_APP_ID, SHARED_SANDBOX_ID, "")


def test_parent_is_told_as_people_look_for_it() -> None:
    """With its name while it lives."""
    (parent,) = groups(with_zombies(a_snapshot(), 1, WEB_APP_PID))[0].parents

    assert str(parent) == f"pid {WEB_APP_PID} (app)"
    assert str(replace(parent, process=None)) == f"pid {WEB_APP_PID}"
