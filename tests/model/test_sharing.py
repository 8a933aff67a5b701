"""Which Linux namespace a container's first process belongs in, and which it is in.

On the healthy node every namespace is as asked; each test changes what was asked, or what is.
"""

from dataclasses import replace
from typing import Any

import pytest

from model.judged import NEW, WEB_NETWORK, in_host, judge, wrong
from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.namespace_owners import OwnerKind
from pausewatch.model.sandbox import NamespaceMode, SpecNamespace
from pausewatch.model.sharing import Expected, Sharing
from pausewatch.model.snapshot import PinnedNamespace, Snapshot
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_first_process, with_sandbox, without_process
from support.parts import (
    FIRST_INODE,
    SHARED_WORKER_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
)


def test_healthy_node_is_as_expected_in_all_five_kinds() -> None:
    """Own and shared PID namespaces; nothing is left unjudged."""
    node = a_node()
    sharing = Sharing(node)

    judgements = [one for container in node.running_containers for one in sharing.of(container)]

    assert len(judgements) == 3 * 5
    assert all(one.as_expected and one.expectation for one in judgements)
    assert wrong(a_snapshot()) == []


@pytest.mark.parametrize("kind", ["network", "ipc"])
def test_the_node_s_own_is_right_only_when_asked_for(kind: str) -> None:
    """hostNetwork and hostIPC put sandbox and containers there; without them it is a fault."""
    moved = in_host(in_host(a_snapshot(), WEB_APP_ID, kind), WEB_SIDE_ID, kind)
    asked = with_sandbox(in_host(moved, WEB_SANDBOX_ID, kind), WEB_SANDBOX_ID, **{f"{kind}_mode": NamespaceMode.NODE})

    assert wrong(asked) == []
    assert wrong(moved) == [("app", kind), ("side", kind)]
    assert judge(moved, WEB_APP_ID, NamespaceKind(kind)).owner.kind is OwnerKind.HOST


def test_container_outside_the_node_s_network_although_asked_for_is_wrong() -> None:
    """hostNetwork with a container in a namespace of its own."""
    asked = with_sandbox(
        in_host(a_snapshot(), WEB_SANDBOX_ID, "network"), WEB_SANDBOX_ID, network_mode=NamespaceMode.NODE
    )

    assert wrong(asked) == [("app", "network"), ("side", "network")]


def test_sandbox_itself_in_the_node_s_network_is_wrong_for_its_containers() -> None:
    """All agree with their pause, and none is where the pod asked to be."""
    moved = a_snapshot()
    for owner_id in (WEB_SANDBOX_ID, WEB_APP_ID, WEB_SIDE_ID):
        moved = in_host(moved, owner_id, "network")

    assert wrong(moved) == [("app", "network"), ("side", "network")]


def test_uts_follows_the_specification_of_the_sandbox() -> None:
    """The CRI has no option for it: containerd with hostNetwork leaves the entry out, CRI-O never does."""
    moved = a_snapshot()
    for owner_id in (WEB_SANDBOX_ID, WEB_APP_ID, WEB_SIDE_ID):
        moved = in_host(moved, owner_id, "uts")
    without_entry = with_sandbox(
        moved, WEB_SANDBOX_ID, spec_namespaces=(SpecNamespace(kind=NamespaceKind.IPC, path=""),)
    )
    unknown = with_sandbox(moved, WEB_SANDBOX_ID, spec_namespaces=None)

    assert wrong(without_entry) == []
    assert wrong(moved) == [("app", "uts"), ("side", "uts")]
    assert wrong(unknown) == []
    assert judge(unknown, WEB_APP_ID, NamespaceKind.UTS).not_judged == (
        "the runtime gave no specification of the sandbox"
    )


def test_shared_and_node_s_pid_namespaces() -> None:
    """shareProcessNamespace expects the pause's, hostPID the node's."""
    alone = with_first_process(a_snapshot(), SHARED_WORKER_ID, pid=NEW)
    host = with_container(in_host(a_snapshot(), WEB_APP_ID, "pid"), WEB_APP_ID, pid_mode=NamespaceMode.NODE)

    assert wrong(alone) == [("worker", "pid")]
    assert wrong(host) == []


class TestTarget:
    """An ephemeral container that joins the PID namespace of its target (`kubectl debug --target`)."""

    def debug(self, snapshot: Snapshot, **details: Any) -> Snapshot:  # noqa: ANN401  any field of the details
        """Let ``side`` target ``app``."""
        asked = {"pid_mode": NamespaceMode.TARGET, "target_id": WEB_APP_ID} | details
        return with_container(snapshot, WEB_SIDE_ID, **asked)

    def test_is_in_the_target_s(self) -> None:
        """Neither of the two is blamed."""
        joined = with_first_process(a_snapshot(), WEB_SIDE_ID, pid=FIRST_INODE + WEB_APP_PID)

        assert wrong(self.debug(joined)) == []
        expectation = judge(self.debug(joined), WEB_SIDE_ID, NamespaceKind.PID).expectation
        assert expectation is not None
        assert expectation.whose is Expected.TARGET

    def test_is_wrong_in_one_of_its_own(self) -> None:
        """It was to see the target's processes."""
        assert wrong(self.debug(a_snapshot())) == [("side", "pid")]

    def test_is_not_judged_once_the_target_is_gone(self) -> None:
        """There is nothing left to compare with."""
        gone = without_process(self.debug(a_snapshot()), WEB_APP_PID)

        assert wrong(gone) == []
        assert judge(gone, WEB_SIDE_ID, NamespaceKind.PID).not_judged == "its target container is not running"

    def test_is_compared_with_the_pin_where_the_runtime_names_no_target(self) -> None:
        """CRI-O pins the target's PID namespace and tells the path only."""
        pinned = self.debug(
            replace(
                a_snapshot(),
                pinned_namespaces=(PinnedNamespace(path="/var/run/pidns/x", inode=FIRST_INODE + WEB_APP_PID),),
            ),
            target_id="",
            spec_namespaces=(SpecNamespace(kind=NamespaceKind.PID, path="/var/run/pidns/x"),),
        )

        assert wrong(pinned) == [("side", "pid")]
        assert wrong(with_first_process(pinned, WEB_SIDE_ID, pid=FIRST_INODE + WEB_APP_PID)) == []


class TestUserNamespace:
    """The node's, or with `hostUsers: false` the sandbox's."""

    def own(self) -> Snapshot:
        """Give the pod web-x a user namespace of its own."""
        asked = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, user_mode=NamespaceMode.POD)
        for owner_id in (WEB_SANDBOX_ID, WEB_APP_ID, WEB_SIDE_ID):
            asked = with_first_process(asked, owner_id, user=NEW)
        return asked

    def test_of_the_pod(self) -> None:
        """All of the pod share one that is not the node's."""
        assert wrong(self.own()) == []
        assert wrong(in_host(self.own(), WEB_APP_ID, "user")) == [("app", "user")]

    def test_of_the_node_when_nothing_is_said(self) -> None:
        """Runtimes that know no user namespaces tell no mode."""
        silent = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, user_mode=None)

        assert wrong(silent) == []
        assert wrong(with_first_process(silent, WEB_APP_ID, user=NEW)) == [("app", "user")]

    def test_of_the_node_for_sandbox_and_container_although_asked_for_is_wrong(self) -> None:
        """Root inside is root outside then."""
        nothing_made = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, user_mode=NamespaceMode.POD)

        assert wrong(nothing_made) == [("app", "user"), ("side", "user")]


class TestWithoutPause:
    """CRI-O keeps no pause process: its pins stand in."""

    PINS = (
        PinnedNamespace(path="/var/run/netns/a", inode=WEB_NETWORK),
        PinnedNamespace(path="/var/run/ipcns/a", inode=WEB_NETWORK + 1),
        PinnedNamespace(path="/var/run/utsns/a", inode=WEB_NETWORK + 2),
    )

    def node(self, *more: SpecNamespace, **changes: Any) -> Snapshot:  # noqa: ANN401  any section
        """Turn web-x into a sandbox of CRI-O."""
        spec = (
            *more,
            SpecNamespace(kind=NamespaceKind.PID, path=""),
            SpecNamespace(kind=NamespaceKind.NETWORK, path="/var/run/netns/a"),
            SpecNamespace(kind=NamespaceKind.IPC, path="/var/run/ipcns/a"),
            SpecNamespace(kind=NamespaceKind.UTS, path="/var/run/utsns/a"),
        )
        bare = with_sandbox(
            without_process(a_snapshot(), WEB_PAUSE_PID), WEB_SANDBOX_ID, pause_pid=0, spec_namespaces=spec
        )
        return replace(bare, **({"pinned_namespaces": self.PINS} | changes))

    def test_pins_are_the_reference(self) -> None:
        """In place of the pause's links."""
        assert wrong(self.node()) == []
        assert wrong(with_first_process(self.node(), WEB_APP_ID, network=NEW)) == [("app", "network")]

    def test_pinned_user_namespace(self) -> None:
        """Of a pod with `hostUsers: false`: its containers belong there, and not into the node's."""
        pins = (*self.PINS, PinnedNamespace(path="/var/run/userns/a", inode=NEW))
        user = SpecNamespace(kind=NamespaceKind.USER, path="/var/run/userns/a")
        node = with_sandbox(self.node(user, pinned_namespaces=pins), WEB_SANDBOX_ID, user_mode=NamespaceMode.POD)
        app_inside = with_first_process(node, WEB_APP_ID, user=NEW)

        assert wrong(app_inside) == [("side", "user")]
        assert wrong(with_first_process(app_inside, WEB_SIDE_ID, user=NEW)) == []

    def test_pin_that_could_not_be_read_leaves_its_kind_unjudged(self) -> None:
        """Unknown is not broken."""
        unread = with_first_process(self.node(pinned_namespaces=self.PINS[1:]), WEB_APP_ID, network=NEW)

        assert wrong(unread) == []
        assert judge(unread, WEB_APP_ID, NamespaceKind.NETWORK).not_judged == (
            "the network namespace of the sandbox could not be read"
        )


def test_dead_pause_leaves_its_containers_unjudged_where_it_was_the_reference() -> None:
    """That the pause is gone is another fault; what it held is no longer known."""
    gone = with_first_process(without_process(a_snapshot(), WEB_PAUSE_PID), WEB_APP_ID, network=NEW, ipc=NEW)

    assert wrong(gone) == []


def test_own_namespace_needs_no_pause() -> None:
    """A PID namespace of the container's own is judged all the same."""
    gone = in_host(without_process(a_snapshot(), WEB_PAUSE_PID), WEB_APP_ID, "pid")

    assert wrong(gone) == [("app", "pid")]


def test_unreadable_links_are_not_judged() -> None:
    """Neither the container nor the sandbox it would be compared with."""
    denied = Unavailable(reason="PermissionDenied", detail="no")
    app_hidden = with_first_process(a_snapshot(), WEB_APP_ID, links=denied)
    node = a_node(app_hidden)

    assert Sharing(node).of(node.containers[WEB_APP_ID]) == ()
    assert not Sharing(node).is_judged(node.containers[WEB_APP_ID])
    assert Sharing(node).is_judged(node.containers[WEB_SIDE_ID])


def test_sandbox_of_another_kernel_is_not_judged() -> None:
    """gVisor and Kata: the process on the node is not the pod's."""
    foreign = with_sandbox(in_host(a_snapshot(), WEB_APP_ID, "network"), WEB_SANDBOX_ID, runtime_handler="runsc")

    assert wrong(foreign) == []


def test_runtime_that_tells_nothing_is_not_judged() -> None:
    """cri-dockerd: no specification, no PID mode, no pause pid; or no status at all."""
    docker = with_sandbox(
        in_host(a_snapshot(), WEB_APP_ID, "pid", "uts"), WEB_SANDBOX_ID, spec_namespaces=None, network_mode=None
    )
    no_status = with_sandbox(
        in_host(a_snapshot(), WEB_APP_ID, "network"),
        WEB_SANDBOX_ID,
        details=Unavailable(reason="StatusUnreadable", detail="damaged"),
    )

    assert wrong(with_container(docker, WEB_APP_ID, pid_mode=None)) == []
    assert wrong(no_status) == []


def test_node_whose_own_namespaces_are_unknown_expects_nothing_of_them() -> None:
    """hostNetwork can not be judged then; sharing within the pod still can."""
    unknown = replace(a_snapshot(), host_links=Unavailable(reason="PermissionDenied", detail="no"))
    asked = with_sandbox(
        with_first_process(unknown, WEB_APP_ID, network=NEW), WEB_SANDBOX_ID, network_mode=NamespaceMode.NODE
    )

    assert wrong(asked) == []
    assert wrong(with_first_process(unknown, WEB_APP_ID, network=NEW)) == [("app", "network")]
