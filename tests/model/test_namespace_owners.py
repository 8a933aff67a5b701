import pytest

from model.judged import NEW, SHARED_NETWORK, WEB_NETWORK, judge, wrong
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.namespace_owners import NamespaceOwners, OwnerKind
from support.builders import a_node, a_snapshot
from support.changes import with_first_process, without_process
from support.parts import (
    FIRST_INODE,
    HOST_LINKS,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_SIDE_PID,
)


def test_another_pod_s_namespace_names_the_pod() -> None:
    """So that people know whose traffic it sees."""
    judgement = judge(
        with_first_process(a_snapshot(), WEB_APP_ID, network=SHARED_NETWORK), WEB_APP_ID, NamespaceKind.NETWORK
    )

    assert not judgement.as_expected
    assert judgement.owner.kind is OwnerKind.OTHER_POD
    assert judgement.owner.sandbox is not None
    assert judgement.owner.sandbox.name == "shared-y"


def test_fresh_namespace_belongs_to_nobody_known() -> None:
    """What a runtime makes when the path to join is missing."""
    judgement = judge(with_first_process(a_snapshot(), WEB_APP_ID, ipc=NEW), WEB_APP_ID, NamespaceKind.IPC)

    assert not judgement.as_expected
    assert judgement.owner.kind is OwnerKind.NOBODY
    assert judgement.expectation is not None
    assert judgement.expectation.inode == WEB_NETWORK + 1


@pytest.mark.parametrize(
    ("pid_namespace", "owner"),
    [
        (HOST_LINKS.pid, OwnerKind.HOST),
        (WEB_NETWORK + 3, OwnerKind.OWN_SANDBOX),
        (FIRST_INODE + WEB_APP_PID, OwnerKind.SIBLING),
        (SHARED_NETWORK + 3, OwnerKind.OTHER_POD),
    ],
)
def test_own_pid_namespace_is_nobody_else_s(pid_namespace: int, owner: OwnerKind) -> None:
    """Not the node's, not the pause's, not a sibling's, not another pod's."""
    snapshot = with_first_process(a_snapshot(), WEB_SIDE_ID, pid=pid_namespace)

    assert wrong(snapshot) == [("side", "pid")]
    assert judge(snapshot, WEB_SIDE_ID, NamespaceKind.PID).owner.kind is owner


def test_container_that_was_joined_is_not_blamed() -> None:
    """Of two first processes in one PID namespace the earlier one owns it: it was there to be joined."""
    snapshot = with_first_process(a_snapshot(), WEB_SIDE_ID, pid=FIRST_INODE + WEB_APP_PID)

    assert judge(snapshot, WEB_APP_ID, NamespaceKind.PID).as_expected
    assert judge(snapshot, WEB_APP_ID, NamespaceKind.PID).owner.kind is OwnerKind.OWN_CONTAINER


def test_sandboxes_without_processes_hold_nothing() -> None:
    """A reference is asked for by kind and may be missing."""
    node = a_node(without_process(a_snapshot(), SHARED_PAUSE_PID))

    assert NamespaceOwners(node).reference(node.sandboxes[SHARED_SANDBOX_ID], NamespaceKind.IPC) is None
    assert NamespaceOwners(node).reference(node.sandboxes[WEB_SANDBOX_ID], NamespaceKind.IPC) == WEB_NETWORK + 1
    assert WEB_SIDE_PID in node.processes
