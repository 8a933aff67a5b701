"""What is said of one Linux namespace of a container."""

import pytest

from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import NamespaceMode
from pausewatch.model.sharing import Sharing
from pausewatch.model.snapshot import Snapshot
from pausewatch.sinks.inspection_namespaces import NamespaceFacts, Verdict, namespace_facts
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_first_process, with_sandbox
from support.parts import (
    HOST_LINKS,
    SHARED_PAUSE_PID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    pause_links,
)


def namespaces_of(snapshot: Snapshot, container_id: str) -> dict[NamespaceKind, NamespaceFacts]:
    """Return the facts about the Linux namespaces of a container, by kind."""
    node = a_node(snapshot)
    return {one.kind: namespace_facts(one) for one in Sharing(node).of(node.containers[container_id])}


def namespace_of(snapshot: Snapshot, container_id: str, kind: NamespaceKind) -> NamespaceFacts:
    """Return the facts about one Linux namespace."""
    return namespaces_of(snapshot, container_id)[kind]


def test_an_ordinary_container() -> None:
    """Three are its sandbox's, one is its own, one the node's."""
    assert {kind: one.verdict for kind, one in namespaces_of(a_snapshot(), WEB_APP_ID).items()} == {
        NamespaceKind.NETWORK: Verdict.SHARED,
        NamespaceKind.IPC: Verdict.SHARED,
        NamespaceKind.UTS: Verdict.SHARED,
        NamespaceKind.PID: Verdict.OWN,
        NamespaceKind.USER: Verdict.HOST,
    }


def test_a_container_in_the_nodes_pid_namespace() -> None:
    """Where the pod asked for that, nothing is wrong."""
    snapshot = with_first_process(a_snapshot(), WEB_APP_ID, pid=HOST_LINKS.pid)
    snapshot = with_container(snapshot, WEB_APP_ID, pid_mode=NamespaceMode.NODE)

    assert namespace_of(snapshot, WEB_APP_ID, NamespaceKind.PID).verdict is Verdict.HOST


def test_a_debug_container_shares_with_its_target() -> None:
    """That is what kubectl debug --target asks for."""
    snapshot = with_container(a_snapshot(), WEB_SIDE_ID, pid_mode=NamespaceMode.TARGET, target_id=WEB_APP_ID)
    snapshot = with_first_process(snapshot, WEB_SIDE_ID, pid=4_026_530_000 + WEB_APP_PID)

    assert namespace_of(snapshot, WEB_SIDE_ID, NamespaceKind.PID).verdict is Verdict.TARGET


@pytest.mark.parametrize(
    ("inode", "owner"),
    [
        (HOST_LINKS.network, "the node"),
        (pause_links(SHARED_PAUSE_PID).network, "pod team-b/shared-y"),
        (4_026_539_999, "no known pod"),
    ],
)
def test_a_wrong_namespace_names_what_was_expected_and_whose_it_is(inode: int, owner: str) -> None:
    """The node's, another pod's, nobody's."""
    facts = namespace_of(with_first_process(a_snapshot(), WEB_APP_ID, network=inode), WEB_APP_ID, NamespaceKind.NETWORK)

    assert facts.verdict is Verdict.WRONG
    assert facts.link == f"net:[{inode}]"
    assert facts.expected == "net:[4026532301] of the sandbox"
    assert facts.owner == owner


def test_a_wrong_pid_namespace() -> None:
    """There is no number to expect of a namespace of one's own."""
    facts = namespace_of(
        with_first_process(a_snapshot(), WEB_SIDE_ID, pid=4_026_530_000 + WEB_APP_PID), WEB_SIDE_ID, NamespaceKind.PID
    )

    assert (facts.verdict, facts.expected, facts.owner) == (Verdict.WRONG, "one of its own", "sibling container app")


def test_what_cannot_be_expected_is_not_judged() -> None:
    """With the reason."""
    snapshot = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, ipc_mode=None)
    facts = namespace_of(snapshot, WEB_APP_ID, NamespaceKind.IPC)

    assert facts.verdict is Verdict.NOT_JUDGED
    assert facts.not_judged == "the runtime tells no sharing mode of the ipc namespace"
