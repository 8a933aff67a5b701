"""Which part the processes of a pod play: who holds its Linux namespaces, who is PID 1, who has to reap.

The kernel hands an orphan to PID 1 of its PID namespace, unless an ancestor in the same namespace is a child subreaper
(kernel/exit.c, find_new_reaper; prctl(2), PR_SET_CHILD_SUBREAPER). Shims and monitors are, in the node's own PID
namespace (containerd pkg/shim/shim.go; conmon src/conmon.c): so with hostPID it is the shim.
"""

from pausewatch.model.namespace_owners import Owner, OwnerKind
from pausewatch.model.process import FirstProcess
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox
from pausewatch.model.view import NodeView
from pausewatch.sinks.inspection_namespaces import owner_text


def reaper(node: NodeView, sandbox: Sandbox) -> str:
    """Return who inherits and reaps processes whose parent has ended; empty if that is not known."""
    details = node.sandbox_details(sandbox)
    if sandbox.id in node.not_comparable or details is None:
        return ""
    match details.pid_mode:
        case NamespaceMode.POD:
            return "the pause, PID 1 of the shared PID namespace"
        case NamespaceMode.NODE:
            return "the runtime's shim, a child subreaper in the node's PID namespace"
        case NamespaceMode.CONTAINER | NamespaceMode.TARGET:
            return "PID 1 of each container"
        case None:
            return ""


def pid_one(node: NodeView, container: Container, owner: Owner) -> str:
    """Return who is PID 1 of the PID namespace, whose ``owner`` is, that a container runs in; empty if not known."""
    match owner.kind:
        case OwnerKind.HOST:
            return "the node's init"
        case OwnerKind.OWN_SANDBOX:
            pause = node.first_processes.get(container.sandbox_id)
            return f"{pause.identity.pid}, the pause" if pause else ""
        case OwnerKind.OWN_CONTAINER:
            return _named(node, node.first_processes.get(container.id))
        case OwnerKind.SIBLING | OwnerKind.OTHER_POD:
            made_for = owner.container or owner.sandbox
            first = node.first_processes.get(made_for.id) if made_for else None
            return f"{_named(node, first)} of {owner_text(owner)}" if first else ""
        case OwnerKind.NOBODY:
            return ""


def container_role(node: NodeView, container: Container, owner: Owner | None) -> str:
    """Return which part the first process of a container plays in its PID namespace; empty if that is not known.

    Args:
        node: Where it runs.
        container: A running one.
        owner: Whose its PID namespace is.
    """
    first = node.first_processes.get(container.id)
    if first is None or owner is None or owner.kind is OwnerKind.NOBODY:
        return ""
    if first.identity in node.pid_ones:
        return "PID 1, has to reap"
    match owner.kind:
        case OwnerKind.HOST:
            return "in the node's PID namespace, the shim reaps"
        case OwnerKind.OWN_SANDBOX:
            return "the pause reaps"
        case _:
            one = pid_one(node, container, owner)
            return f"PID 1 is {one}" if one else ""


def pause_role(node: NodeView, sandbox: Sandbox) -> str:
    """Return what the pause does beyond holding Linux namespaces; empty if it does nothing."""
    details = node.sandbox_details(sandbox)
    shared = details is not None and details.pid_mode is NamespaceMode.POD
    return "PID 1, reaps for all containers" if shared and sandbox.id in node.first_processes else ""


def _named(node: NodeView, first: FirstProcess | None) -> str:
    if first is None:
        return ""
    process = node.processes.get(first.identity.pid)
    return f"{first.identity.pid} {process.name}" if process else str(first.identity.pid)
