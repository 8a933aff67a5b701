"""The Snapshot joined once."""

from dataclasses import replace
from typing import ClassVar

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History, PodMemory
from pausewatch.model.pod import WaitingPod
from pausewatch.model.sandbox import ContainerState, SandboxState
from pausewatch.model.sandbox_births import SandboxBirth
from pausewatch.model.snapshot import SECTIONS
from pausewatch.model.view import NodeView
from support.builders import a_node, a_snapshot, adding
from support.changes import with_container, with_first_process, with_sandbox, with_zombies, without_process
from support.parts import (
    HOST_LINKS,
    SHARED_PAUSE_PID,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_SIDE_PID,
    WEB_UID,
    a_container,
    a_pod,
    a_sandbox,
    hex_id,
    identity,
    sandbox_details,
)


def test_running_containers_are_ordered_as_people_read_them() -> None:
    """By namespace, pod and name; the order of the CRI's list is random."""
    snapshot = a_snapshot()
    shuffled = replace(snapshot, containers=tuple(reversed(a_snapshot().containers)))  # type: ignore[arg-type]

    names = [container.name for container in a_node(shuffled).running_containers]

    assert names == ["app", "side", "worker"]


def test_only_running_containers_of_listed_sandboxes_are_judged() -> None:
    """One that exited, and one whose sandbox vanished between the two lists, have nothing to compare with."""
    exited = with_container(a_snapshot(), WEB_APP_ID, state=ContainerState.EXITED)
    homeless = adding(exited, containers=(a_container(id=hex_id("homeless"), sandbox_id=hex_id("gone"), name="lost"),))

    assert [container.name for container in a_node(homeless).running_containers] == ["side", "worker"]


def test_containers_are_grouped_by_sandbox() -> None:
    """In the order of their names."""
    assert [one.id for one in a_node().containers_of[WEB_SANDBOX_ID]] == [WEB_APP_ID, WEB_SIDE_ID]


def test_two_running_containers_of_one_name_have_two_subjects() -> None:
    """Two findings with one id would be a rejected report."""
    twin = a_container(id=hex_id("twin"), attempt=1)
    node = a_node(adding(a_snapshot(), containers=(twin,)))

    assert node.subject_of(twin).container == "app#1"
    assert node.subject_of(node.containers[WEB_APP_ID]).container == "app#0"
    assert a_node().subject_of(a_container()).container == "app"


def test_a_stranger_on_a_reused_pid_is_no_first_process() -> None:
    """Its cgroup shows that it does not belong to the container, so nothing is read from it."""
    node = a_node(with_first_process(a_snapshot(), WEB_APP_ID, in_own_cgroup=False))

    assert node.links_of(WEB_APP_ID) is None
    assert node.links_of(WEB_SIDE_ID) is not None


def test_first_processes_are_known_by_identity() -> None:
    """Pause and application alike."""
    owners = a_node().first_process_owners

    assert owners[identity(WEB_PAUSE_PID)] == WEB_SANDBOX_ID
    assert owners[identity(WEB_APP_PID)] == WEB_APP_ID


def test_pid_1_is_the_earliest_of_its_pid_namespace() -> None:
    """A shared one has the pause; each of the others has the process that it was made for."""
    assert a_node().pid_ones == {identity(pid) for pid in (WEB_PAUSE_PID, WEB_APP_PID, WEB_SIDE_PID, SHARED_PAUSE_PID)}


def test_nobody_is_pid_1_of_the_nodes_pid_namespace() -> None:
    """A container with hostPID is one among all processes there."""
    host_pid = with_first_process(a_snapshot(), WEB_APP_ID, pid=HOST_LINKS.pid)

    assert identity(WEB_APP_PID) not in a_node(host_pid).pid_ones


def test_nobody_is_known_to_be_pid_1_without_the_nodes_namespaces() -> None:
    """Who is in the node's PID namespace can not be told then."""
    nothing = Unavailable(reason="PermissionDenied", detail="not readable")

    assert a_node(replace(a_snapshot(), host_links=nothing)).pid_ones == frozenset()


def test_age_of_a_zombie_counts_from_when_it_was_first_seen() -> None:
    """By the boot clock; one that is seen for the first time has none."""
    snapshot = with_zombies(a_snapshot(), 2, WEB_APP_PID)
    node = a_node(snapshot, {identity(5000): snapshot.uptime_seconds - 61})

    assert [node.zombie_seen_for_seconds(zombie) for zombie in node.zombies] == [61, 0]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_unavailable_section_reads_as_empty(section: str) -> None:
    """Checks that need it are skipped; for the others the view still works."""
    node = a_node(a_snapshot(**{section: Unavailable(reason="Missing", detail="not there")}))

    counts = (
        len(node.sandboxes),
        len(node.running_containers),
        len(node.first_processes),
        len(node.processes),
        node.host_links is not None,
    )
    healthy = {
        "sandboxes": (0, 0, 5, 11, True),
        "containers": (2, 0, 5, 11, True),
        "first_processes": (2, 3, 0, 11, True),
        "processes": (2, 3, 5, 0, True),
        "host_links": (2, 3, 5, 11, False),
    }
    assert counts == healthy.get(section, (2, 3, 5, 11, True))


class TestLost:
    """Containers without their process, and sandboxes without their pause."""

    def test_dead_process_is_lost_in_a_running_container_only(self) -> None:
        """An exited container has none."""
        gone = without_process(a_snapshot(), WEB_APP_PID)
        ended = with_container(gone, WEB_APP_ID, state=ContainerState.EXITED)

        assert [one.id for one in a_node(gone).containers_without_process] == [WEB_APP_ID]
        assert a_node(ended).containers_without_process == a_node().containers_without_process == ()

    def test_lost_pause_counts_while_a_living_container_runs(self) -> None:
        """Whether the runtime noticed or not."""
        unseen = without_process(a_snapshot(), WEB_PAUSE_PID)
        seen = with_sandbox(unseen, WEB_SANDBOX_ID, state=SandboxState.NOTREADY, pause_pid=0)
        empty = without_process(without_process(seen, WEB_APP_PID), WEB_SIDE_PID)

        assert [[one.id for one in a_node(node).sandboxes_without_pause] for node in (unseen, seen, empty)] == [
            [WEB_SANDBOX_ID],
            [WEB_SANDBOX_ID],
            [],
        ]
        assert a_node().sandboxes_without_pause == ()

    def test_nothing_is_lost_where_processes_can_not_be_told(self) -> None:
        """Their numbers belong to another PID namespace, or nothing was read."""
        gone = without_process(without_process(a_snapshot(), WEB_APP_PID), WEB_PAUSE_PID)
        missing = Unavailable(reason="Missing", detail="not there")

        for blind in (replace(gone, processes=missing), replace(gone, first_processes=missing)):
            assert a_node(blind).containers_without_process == ()
            assert a_node(blind).sandboxes_without_pause == ()

    def test_time_counts_from_the_first_sight(self) -> None:
        """By the boot clock."""
        node = NodeView(a_snapshot(), History(lost_since={WEB_APP_ID: UPTIME_SECONDS - 90}))

        assert node.lost_for_seconds(WEB_APP_ID) == 90
        assert node.lost_for_seconds(WEB_SIDE_ID) == 0

    @pytest.mark.parametrize(("seconds", "lost"), [(0.0, False), (0.9, False), (1.0, True)])
    def test_what_just_ended_is_not_lost(self, seconds: float, lost: bool) -> None:  # noqa: FBT001
        """The runtime tells a little later than /proc."""
        node = NodeView(a_snapshot(), History(lost_since={WEB_APP_ID: UPTIME_SECONDS - seconds}))

        assert node.is_lost(WEB_APP_ID) is lost


def test_births_of_sandboxes_join_what_was_seen_before() -> None:
    """Those that are gone, of pods that are still there."""
    before = SandboxBirth(sandbox_id="before", attempt=0, created_at_seconds=a_sandbox().created_at_seconds - 60)
    node = NodeView(a_snapshot(), History(sandbox_births={WEB_UID: (before,), "gone": (before,)}))

    assert [one.sandbox_id for one in node.sandbox_births[WEB_UID]] == ["before", WEB_SANDBOX_ID]
    assert "gone" not in node.sandbox_births


def test_sandbox_of_a_kubelet_says_where_its_pod_is_from() -> None:
    """One that was made by hand does not, and one without status can not."""
    sandboxes = (
        a_sandbox(),
        a_sandbox(details=sandbox_details(pod_source="")),
        a_sandbox(details=Unavailable(reason="X", detail="damaged")),
    )

    assert [a_node().is_of_a_kubelet(one) for one in sandboxes] == [True, False, False]


class TestPods:
    """What the API server knows, joined by the uid that sandboxes carry."""

    ABSENT: ClassVar = {WEB_SANDBOX_ID: PodMemory(grace_seconds=600, absent_since=UPTIME_SECONDS - 90)}

    def test_absence_counts_from_the_first_scan_that_missed_it(self) -> None:
        """By the boot clock."""
        gone = a_node(a_snapshot(pods=()), pods=self.ABSENT)

        assert gone.pod_absent_for_seconds(gone.sandboxes[WEB_SANDBOX_ID]) == 90

    def test_pod_that_is_there_is_not_absent(self) -> None:
        """Whatever was remembered."""
        back = a_node(a_snapshot(), pods=self.ABSENT)

        assert back.pod_absent_for_seconds(back.sandboxes[WEB_SANDBOX_ID]) == 0

    def test_grace_is_the_longest_that_was_ever_told(self) -> None:
        """Of the containers' annotations, of the pod in the API, and of what it was last deleted with."""
        sandbox = a_sandbox()

        assert a_node().grace_seconds(sandbox) == 30
        assert a_node(a_snapshot(pods=(a_pod(deletion_grace_seconds=60),))).grace_seconds(sandbox) == 60
        assert a_node(a_snapshot(pods=()), pods=self.ABSENT).grace_seconds(sandbox) == 600
        assert a_node(a_snapshot(containers=())).grace_seconds(sandbox) == 0


def test_waiting_pods_are_those_that_the_api_still_knows() -> None:
    """In the order of their names; one that was deleted meanwhile has no name."""
    late = a_pod(name="z", uid="late")
    waiting = tuple(WaitingPod(uid=uid, error="", last_failed_at=None) for uid in ("late", WEB_UID, "deleted"))
    node = a_node(a_snapshot(pods=(late, a_pod()), waiting_pods=waiting))

    assert [(pod.name, one.uid) for pod, one in node.waiting_pods] == [("web-x", WEB_UID), ("z", "late")]
