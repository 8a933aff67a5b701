"""Each change does what it says."""

import pytest

from pausewatch.model.sandbox import NamespaceMode, SandboxState
from pausewatch.model.sharing import Sharing
from pausewatch.model.zombies import ParentRole, zombie_groups
from support.builders import a_node, a_snapshot, present
from support.changes import (
    with_container,
    with_first_process,
    with_network,
    with_sandbox,
    with_zombies,
    without_process,
)
from support.parts import HOST_LINKS, WEB_APP_ID, WEB_APP_PID, WEB_SANDBOX_ID


def test_zombies_belong_to_the_container_of_their_parent() -> None:
    """Without a word about their place, zombies are where the process is that does not wait for them."""
    node = a_node(with_zombies(a_snapshot(), 12, WEB_APP_PID))
    (group,) = zombie_groups(node, node.zombies)

    assert group.container == node.containers[WEB_APP_ID]
    assert [(parent.pid, parent.role, parent.zombies) for parent in group.parents] == [
        (WEB_APP_PID, ParentRole.PID_ONE, 12)
    ]


def test_details_are_changed_by_their_field_names() -> None:
    """A test names a field; whether it is of the sandbox or of its details does not matter to it."""
    changed = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, state=SandboxState.NOTREADY, ipc_mode=NamespaceMode.NODE)
    sandbox = a_node(changed).sandboxes[WEB_SANDBOX_ID]

    assert sandbox.state is SandboxState.NOTREADY
    assert a_node().sandbox_details(sandbox).ipc_mode is NamespaceMode.NODE  # type: ignore[union-attr]
    assert a_node(with_container(a_snapshot(), WEB_APP_ID, name="other")).containers[WEB_APP_ID].name == "other"


def test_one_namespace_of_a_first_process_is_changed() -> None:
    """The other four stay."""
    node = a_node(with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network))

    judged = [one.kind for one in Sharing(node).of(node.containers[WEB_APP_ID]) if not one.as_expected]

    assert judged == ["network"]


def test_a_process_that_is_gone_is_first_of_nothing() -> None:
    """It leaves both sections, as when it ended between the runtime's answer and the look at /proc."""
    node = a_node(without_process(a_snapshot(), WEB_APP_PID))

    assert WEB_APP_PID not in node.processes
    assert WEB_APP_ID not in node.first_processes


def test_an_unknown_id_is_a_mistake_of_the_test() -> None:
    """A change that changes nothing would make a test pass for the wrong reason."""
    with pytest.raises(AssertionError, match="nothing has the id"):
        with_sandbox(a_snapshot(), "unknown")


def test_one_pods_network_is_changed() -> None:
    """The other pod's stays."""
    changed = with_network(a_snapshot(), WEB_SANDBOX_ID, has_loopback=False)

    assert [one.has_loopback for one in present(changed.pod_networks)] == [False, True]
