"""A container's first process is not in the Linux namespace that its pod asked for."""

from collections.abc import Iterable

import pytest

from pausewatch.checks.namespace_not_shared import CHECK
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Evidence, Observation, Severity
from pausewatch.model.sandbox import NamespaceMode
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node, a_snapshot, present
from support.changes import with_container, with_first_process, with_sandbox, without_process
from support.commands import DELETE_WEB
from support.observed import observed
from support.parts import (
    FIRST_INODE,
    HOST_LINKS,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    SHARED_WORKER_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
)

NEW = FIRST_INODE + 99_999
WEB_NETWORK = FIRST_INODE + WEB_PAUSE_PID


def run(snapshot: Snapshot) -> tuple[Observation, ...]:
    """Run the check on a node that it can judge."""
    return observed(CHECK, a_node(snapshot))


def reasons(observations: Iterable[Observation]) -> list[tuple[str, str, str]]:
    """Return reason, container and Linux namespace of each."""
    return [(one.reason, one.subject.container, one.part) for one in observations]


def moved(kind: str, inode: int) -> Snapshot:
    """Put the first process of ``app`` into another namespace."""
    return with_first_process(a_snapshot(), WEB_APP_ID, **{kind: inode})


def test_healthy_node_is_silent() -> None:
    """Own and shared PID namespaces beside each other."""
    assert run(a_snapshot()) == ()


def test_fresh_namespace_tells_everything_a_reader_needs() -> None:
    """One sentence, three facts to verify by hand, commands from harmless to destructive."""
    (observation,) = run(moved("network", NEW))

    assert observation.reason == "NamespaceNotShared"
    assert observation.severity is Severity.CRITICAL
    assert observation.message == (
        "team-a/web-x/app runs in a network namespace that belongs to no known pod instead of its sandbox's:"
        " traffic to the pod's address does not reach it"
    )
    assert observation.evidence == (
        Evidence(name="process", value=f"{WEB_APP_PID} app"),
        Evidence(name="linuxNamespace", value=f"net:[{NEW}], of no known pod"),
        Evidence(name="expected", value=f"net:[{WEB_NETWORK}], its sandbox's"),
    )
    assert [(one.run_on.value, one.command) for one in observation.next_commands] == [
        ("node", f"readlink /proc/{WEB_APP_PID}/ns/net /proc/{WEB_PAUSE_PID}/ns/net"),
        ("node", "pausewatch inspect team-a/web-x"),
        ("cluster", DELETE_WEB),
    ]
    assert observation.rests_on == (WEB_APP_ID, WEB_SANDBOX_ID)


def test_whose_namespace_it_is_decides_the_reason() -> None:
    """The node's, another pod's, a sibling's."""
    host = run(moved("network", HOST_LINKS.network))
    foreign = run(moved("network", FIRST_INODE + SHARED_PAUSE_PID))
    sibling = run(with_first_process(a_snapshot(), WEB_SIDE_ID, pid=FIRST_INODE + WEB_APP_PID))

    assert reasons(host) == [("HostNamespaceJoined", "app", "network")]
    assert "runs in the node's network namespace instead of its sandbox's" in host[0].message
    assert reasons(foreign) == [("ForeignNamespaceJoined", "app", "network")]
    assert "runs in pod team-b/shared-y's network namespace" in foreign[0].message
    assert foreign[0].rests_on == (WEB_APP_ID, WEB_SANDBOX_ID, SHARED_SANDBOX_ID)
    assert reasons(sibling) == [("NamespaceNotShared", "side", "pid")]
    assert "runs in container app of the same pod's pid namespace instead of one of its own" in sibling[0].message
    assert sibling[0].rests_on == (WEB_SIDE_ID, WEB_SANDBOX_ID, WEB_APP_ID)


def test_one_observation_per_namespace() -> None:
    """Two wrong ones of one container are two findings with two ids."""
    both = with_first_process(moved("network", HOST_LINKS.network), WEB_APP_ID, ipc=NEW)

    assert reasons(run(both)) == [("HostNamespaceJoined", "app", "network"), ("NamespaceNotShared", "app", "ipc")]


class TestMovedItself:
    """What a container was free to do is no fault of the machinery."""

    @pytest.mark.parametrize("inode", [NEW, HOST_LINKS.network, FIRST_INODE + SHARED_PAUSE_PID])
    @pytest.mark.parametrize("may_administer", [True, None])
    def test_with_the_capability(self, inode: int, *, may_administer: bool | None) -> None:
        """CAP_SYS_ADMIN over the node's user namespace reaches every namespace; unknown is taken for it."""
        snapshot = with_container(moved("network", inode), WEB_APP_ID, may_administer=may_administer)

        (observation,) = run(snapshot)

        assert observation.reason == "ProcessMovedItself"
        assert observation.severity is Severity.INFO
        assert observation.message.endswith("it may administer namespaces, so it may have moved there itself")

    def test_never_out_of_its_pid_namespace(self) -> None:
        """setns and unshare move only the later children of a process."""
        snapshot = with_container(moved("pid", HOST_LINKS.pid), WEB_APP_ID, may_administer=True)

        assert reasons(run(snapshot)) == [("HostNamespaceJoined", "app", "pid")]

    def own_user_namespace(self, **changes: int) -> Snapshot:
        """Give web-x a user namespace of its own, then change ``app``, which has the capability in it."""
        snapshot = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, user_mode=NamespaceMode.POD)
        for owner_id in (WEB_SANDBOX_ID, WEB_APP_ID, WEB_SIDE_ID):
            snapshot = with_first_process(snapshot, owner_id, user=NEW + 1)
        snapshot = with_container(snapshot, WEB_APP_ID, may_administer=True)
        return with_first_process(snapshot, WEB_APP_ID, **changes)

    def test_only_into_new_ones_from_a_user_namespace_of_the_pod(self) -> None:
        """The capability counts below that user namespace and nowhere else."""
        assert reasons(run(self.own_user_namespace(network=NEW))) == [("ProcessMovedItself", "app", "network")]
        assert reasons(run(self.own_user_namespace(network=HOST_LINKS.network))) == [
            ("HostNamespaceJoined", "app", "network")
        ]

    def test_never_back_into_the_node_s_user_namespace(self) -> None:
        """The kernel has no way back to a parent user namespace."""
        assert reasons(run(self.own_user_namespace(user=HOST_LINKS.user))) == [("HostNamespaceJoined", "app", "user")]

    def test_into_a_user_namespace_made_without_capability(self) -> None:
        """Any process may make one where the node allows it, and then new others below it: nested builders."""
        builder = with_first_process(moved("user", NEW), WEB_APP_ID, network=NEW + 2)
        escaped = with_first_process(moved("user", NEW), WEB_APP_ID, network=HOST_LINKS.network)

        assert reasons(run(builder)) == [
            ("ProcessMovedItself", "app", "network"),
            ("ProcessMovedItself", "app", "user"),
        ]
        assert reasons(run(escaped)) == [
            ("HostNamespaceJoined", "app", "network"),
            ("ProcessMovedItself", "app", "user"),
        ]


def test_pause_that_is_gone_is_left_out_of_the_commands() -> None:
    """A path without a process would only confuse."""
    snapshot = with_first_process(without_process(a_snapshot(), WEB_PAUSE_PID), WEB_APP_ID, pid=HOST_LINKS.pid)

    (observation,) = run(snapshot)

    assert observation.next_commands[0].command == f"readlink /proc/{WEB_APP_PID}/ns/pid"


def test_names_are_quoted_for_the_shell() -> None:
    """Whoever may talk to the CRI chooses the names there."""
    snapshot = with_sandbox(moved("network", NEW), WEB_SANDBOX_ID, name="x; reboot")

    (observation,) = run(snapshot)

    assert observation.next_commands[-1].command == "pausewatch inspect 'team-a/x; reboot'"


class TestNothingToJudge:
    """SKIP, with the reason: never a pass that nobody earned."""

    def outcome(self, snapshot: Snapshot) -> Unavailable:
        """Run the check on a node that it can not judge."""
        outcome = CHECK.run(a_node(snapshot), {})
        assert isinstance(outcome, Unavailable)
        return outcome

    def test_all_sandboxes_of_another_kernel(self) -> None:
        """A node with gVisor only."""
        snapshot = a_snapshot()
        for sandbox_id in (WEB_SANDBOX_ID, SHARED_SANDBOX_ID):
            snapshot = with_sandbox(snapshot, sandbox_id, runtime_type="io.containerd.runsc.v1")

        assert self.outcome(snapshot).reason == "NotComparable"

    def test_no_readable_first_process(self) -> None:
        """The permission to read the links is missing."""
        denied = Unavailable(reason="PermissionDenied", detail="no")
        snapshot = a_snapshot()
        for owner_id in (WEB_APP_ID, WEB_SIDE_ID, SHARED_WORKER_ID):
            snapshot = with_first_process(snapshot, owner_id, links=denied)

        assert self.outcome(snapshot).reason == "NamespacesUnreadable"

    def test_node_without_containers_is_all_right(self) -> None:
        """Nothing to judge because nothing is there."""
        assert run(a_snapshot(containers=())) == ()
        assert present(a_snapshot().containers)
