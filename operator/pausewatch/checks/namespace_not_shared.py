"""A container's first process is not in the Linux namespace that its pod asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.namespace_owners import OwnerKind
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pod_commands import inspect_pod
from pausewatch.model.process import FirstProcess
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import Container, NamespaceMode
from pausewatch.model.sharing import Expectation, Expected, NamespaceJudgement, Sharing
from pausewatch.model.view import NodeView

NOT_SHARED = "NamespaceNotShared"
HOST_JOINED = "HostNamespaceJoined"
FOREIGN_JOINED = "ForeignNamespaceJoined"
MOVED_ITSELF = "ProcessMovedItself"

CONSEQUENCES = {
    NamespaceKind.NETWORK: "traffic to the pod's address does not reach it",
    NamespaceKind.IPC: "shared memory and semaphores of the pod are not common",
    NamespaceKind.UTS: "it sees another host name than its pod",
    NamespaceKind.PID: "it sees and can signal other processes than the pod allows",
    NamespaceKind.USER: "its user ids mean other users on the node than the pod allows",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One wrong Linux namespace of one container."""

    node: NodeView
    container: Container
    judgement: NamespaceJudgement
    in_new_user_namespace: bool
    """Whether the first process is in a user namespace that nobody known owns."""


def run(node: NodeView, _: Thresholds) -> tuple[Observation, ...] | Unavailable:
    """Compare the first process of every running container with what its pod asked for."""
    sharing = Sharing(node)
    if node.running_containers and not any(sharing.is_judged(container) for container in node.running_containers):
        return _nothing_judged(node)
    return tuple(_observe(case) for container in node.running_containers for case in _cases(node, sharing, container))


def _nothing_judged(node: NodeView) -> Unavailable:
    if all(container.sandbox_id in node.not_comparable for container in node.running_containers):
        return Unavailable(
            reason="NotComparable",
            detail=f"all {len(node.not_comparable)} sandboxes run in a virtual machine or a user-space kernel",
        )
    return Unavailable(
        reason="NamespacesUnreadable",
        detail="no first process of a running container could be compared with its sandbox",
        remedy="see `pausewatch doctor`",
    )


def _cases(node: NodeView, sharing: Sharing, container: Container) -> Iterator[_Case]:
    wrong = sharing.wrong(container)
    new_user_namespace = any(one.kind is NamespaceKind.USER and one.owner.kind is OwnerKind.NOBODY for one in wrong)
    for judgement in wrong:
        yield _Case(node=node, container=container, judgement=judgement, in_new_user_namespace=new_user_namespace)


def _observe(case: _Case) -> Observation:
    node, container, judgement = case.node, case.container, case.judgement
    reason = _reason(case)
    subject = node.subject_of(container)
    actual = namespace_text(judgement.kind, judgement.inode)
    return Observation(
        reason=reason,
        severity=CHECK.reason(reason).severities[0],
        subject=subject,
        part=judgement.kind.value,
        message=_message(str(subject), judgement, moved_itself=reason == MOVED_ITSELF),
        evidence=(
            Evidence(name="process", value=_process_text(node, node.first_processes[container.id])),
            Evidence(name="linuxNamespace", value=f"{actual}, of {_owner_text(judgement)}"),
            Evidence(name="expected", value=_expected_text(judgement)),
        ),
        next_commands=_next_commands(case),
        rests_on=_rests_on(case),
    )


def _rests_on(case: _Case) -> tuple[str, ...]:
    owner = case.judgement.owner
    other = owner.container or owner.sandbox
    ids = (case.container.id, case.container.sandbox_id, *((other.id,) if other is not None else ()))
    return tuple(dict.fromkeys(ids))


def _reason(case: _Case) -> str:
    if _could_have_moved(case):
        return MOVED_ITSELF
    match case.judgement.owner.kind:
        case OwnerKind.HOST:
            return HOST_JOINED
        case OwnerKind.OTHER_POD:
            return FOREIGN_JOINED
        case _:
            return NOT_SHARED


def _could_have_moved(case: _Case) -> bool:
    """Whether the process may have gone there of its own accord: node shells, nested builders.

    setns(2) needs CAP_SYS_ADMIN over the namespace that is entered, unshare(2) over the user namespace one is in.
    """
    kind, owner = case.judgement.kind, case.judgement.owner
    if kind is NamespaceKind.PID:
        # A process can not change its own PID namespace: setns and unshare move only its later children.
        return False
    if kind is NamespaceKind.USER and owner.kind is OwnerKind.HOST:
        # There is no way back into the parent user namespace, with any capability (setns(2)).
        return False
    made_new = owner.kind is OwnerKind.NOBODY
    container_details = case.node.container_details(case.container)
    if container_details is not None and container_details.may_administer is False:
        # Without the capability: only what lies below a user namespace that the process made itself.
        return made_new and case.in_new_user_namespace
    sandbox_details = case.node.sandbox_details(case.node.sandboxes[case.container.sandbox_id])
    own_user_namespace = sandbox_details is not None and sandbox_details.user_mode is NamespaceMode.POD
    # In a user namespace of the pod's own the capability reaches no namespace that others made.
    return made_new or not own_user_namespace


def _message(subject: str, judgement: NamespaceJudgement, *, moved_itself: bool) -> str:
    place = f"{subject} runs in {_owner_text(judgement)}'s {judgement.kind} namespace"
    if judgement.owner.kind is OwnerKind.NOBODY:
        place = f"{subject} runs in a {judgement.kind} namespace that belongs to no known pod"
    wanted = f"instead of {_wanted(judgement)}"
    if moved_itself:
        return f"{place} {wanted}: it may administer namespaces, so it may have moved there itself"
    return f"{place} {wanted}: {CONSEQUENCES[judgement.kind]}"


def _owner_text(judgement: NamespaceJudgement) -> str:
    owner = judgement.owner
    match owner.kind:
        case OwnerKind.HOST:
            return "the node"
        case OwnerKind.OWN_SANDBOX:
            return "its own sandbox"
        case OwnerKind.OWN_CONTAINER:
            return "the container itself"
        case OwnerKind.NOBODY:
            return "no known pod"
        case OwnerKind.SIBLING:
            return f"container {owner.container.name if owner.container else ''} of the same pod"
        case OwnerKind.OTHER_POD:
            sandbox = owner.sandbox
            return f"pod {sandbox.namespace}/{sandbox.name}" if sandbox else "another pod"


def _wanted(judgement: NamespaceJudgement) -> str:
    match _expectation(judgement).whose:
        case Expected.SANDBOX:
            return "its sandbox's"
        case Expected.HOST:
            return "the node's"
        case Expected.TARGET:
            return "its target container's"
        case Expected.NOBODY:
            return "one of its own"


def _expected_text(judgement: NamespaceJudgement) -> str:
    expectation = _expectation(judgement)
    if expectation.inode is None:
        return "a PID namespace of its own"
    return f"{namespace_text(judgement.kind, expectation.inode)}, {_wanted(judgement)}"


def _expectation(judgement: NamespaceJudgement) -> Expectation:
    """Return what was expected; there is always something where a judgement is not as expected."""
    if judgement.expectation is None:
        raise AssertionError(f"nothing is expected of the {judgement.kind} namespace: {judgement.not_judged}")
    return judgement.expectation


def _process_text(node: NodeView, first: FirstProcess) -> str:
    process = node.processes.get(first.identity.pid)
    return f"{first.identity.pid} {process.name}" if process is not None else str(first.identity.pid)


def _next_commands(case: _Case) -> tuple[NextCommand, ...]:
    node = case.node
    sandbox = node.sandboxes[case.container.sandbox_id]
    link = case.judgement.kind.link
    compared = [
        node.first_processes[owner_id].identity.pid
        for owner_id in (case.container.id, sandbox.id)
        if owner_id in node.first_processes
    ]
    links = " ".join(f"/proc/{pid}/ns/{link}" for pid in compared)
    return (
        NextCommand(run_on=RunOn.NODE, command=f"readlink {links}"),
        inspect_pod(sandbox.namespace, sandbox.name),
        *delete_pod(sandbox.namespace, sandbox.name, sandbox.uid),
    )


CHECK = Check(
    id="namespace-not-shared",
    title="A container is not in the Linux namespaces that its pod asked for",
    reasons=(
        Reason(
            name=NOT_SHARED,
            severities=(Severity.CRITICAL,),
            meaning="the container is in a Linux namespace that belongs to no known pod, or shares one it should not",
        ),
        Reason(
            name=HOST_JOINED,
            severities=(Severity.CRITICAL,),
            meaning="the container is in the node's own Linux namespace without having asked for it",
        ),
        Reason(
            name=FOREIGN_JOINED,
            severities=(Severity.CRITICAL,),
            meaning="the container is in a Linux namespace of another pod",
        ),
        Reason(
            name=MOVED_ITSELF,
            severities=(Severity.INFO,),
            meaning="the container is in another Linux namespace and was free to move there itself",
        ),
    ),
    needs=("sandboxes", "containers", "host_links", "first_processes"),
    persistence=Persistence(
        looks=2,
        why="a container that is just starting or stopping can show its runtime's namespaces for a moment",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
