"""Who holds, who is PID 1, who reaps."""

from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.namespace_owners import Owner
from pausewatch.model.sandbox import NamespaceMode
from pausewatch.model.sharing import Sharing
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from pausewatch.sinks.inspection_roles import container_role, pause_role, pid_one, reaper
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_first_process, with_sandbox, without_process
from support.parts import (
    FIRST_INODE,
    HOST_LINKS,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    SHARED_WORKER_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
)


def owner_of(node: NodeView, container_id: str) -> Owner | None:
    """Return whose the PID namespace of a container is."""
    judgements = Sharing(node).of(node.containers[container_id])
    return next((one.owner for one in judgements if one.kind is NamespaceKind.PID), None)


def role_of(snapshot: Snapshot, container_id: str) -> tuple[str, str]:
    """Return which part a container's first process plays, and who is PID 1."""
    node = a_node(snapshot)
    container, owner = node.containers[container_id], owner_of(node, container_id)
    return container_role(node, container, owner), pid_one(node, container, owner) if owner else ""


def test_a_container_of_its_own() -> None:
    """It is PID 1, so nobody else reaps."""
    node = a_node()

    assert role_of(a_snapshot(), WEB_APP_ID) == ("PID 1, has to reap", "2311 app")
    assert reaper(node, node.sandboxes[WEB_SANDBOX_ID]) == "PID 1 of each container"
    assert pause_role(node, node.sandboxes[WEB_SANDBOX_ID]) == ""


def test_a_shared_pid_namespace() -> None:
    """The pause is PID 1 and reaps for all."""
    node = a_node()
    sandbox = node.sandboxes[SHARED_SANDBOX_ID]

    assert role_of(a_snapshot(), SHARED_WORKER_ID) == ("the pause reaps", f"{SHARED_PAUSE_PID}, the pause")
    assert reaper(node, sandbox) == "the pause, PID 1 of the shared PID namespace"
    assert pause_role(node, sandbox) == "PID 1, reaps for all containers"


def test_a_pause_that_is_gone_reaps_nothing() -> None:
    """What the pod asked for is not what there is."""
    node = a_node(without_process(a_snapshot(), SHARED_PAUSE_PID))

    assert pause_role(node, node.sandboxes[SHARED_SANDBOX_ID]) == ""


def test_the_nodes_pid_namespace() -> None:
    """The nearest child subreaper inherits orphans before the node's init does: it is the shim."""
    snapshot = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, pid_mode=NamespaceMode.NODE)
    for owner_id in (WEB_SANDBOX_ID, WEB_APP_ID):
        snapshot = with_first_process(snapshot, owner_id, pid=HOST_LINKS.pid)
    snapshot = with_container(snapshot, WEB_APP_ID, pid_mode=NamespaceMode.NODE)
    node = a_node(snapshot)

    assert role_of(snapshot, WEB_APP_ID) == ("in the node's PID namespace, the shim reaps", "the node's init")
    assert reaper(node, node.sandboxes[WEB_SANDBOX_ID]).startswith("the runtime's shim")


def test_a_debug_container() -> None:
    """PID 1 is the target's first process."""
    snapshot = with_container(a_snapshot(), WEB_SIDE_ID, pid_mode=NamespaceMode.TARGET, target_id=WEB_APP_ID)
    snapshot = with_first_process(snapshot, WEB_SIDE_ID, pid=FIRST_INODE + WEB_APP_PID)

    assert role_of(snapshot, WEB_SIDE_ID) == (
        "PID 1 is 2311 app of sibling container app",
        "2311 app of sibling container app",
    )


def test_an_unknown_pid_namespace() -> None:
    """Without its first process nothing is said."""
    assert role_of(without_process(a_snapshot(), WEB_APP_PID), WEB_APP_ID) == ("", "")


def test_a_virtual_machine() -> None:
    """Who reaps in there can not be seen."""
    node = a_node(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, runtime_handler="kata"))

    assert reaper(node, node.sandboxes[WEB_SANDBOX_ID]) == ""
