"""Which Linux namespace a container's first process belongs in, and which it is in.

The rule follows what the pod asked for (the CRI's NamespaceOption and the OCI runtime specification), never "must
equal pause": with hostNetwork, hostPID or an ephemeral debug container a difference is right.
Sources: NamespaceOption and NamespaceMode in k8s.io/cri-api runtime/v1/api.proto; containerd
internal/cri/server/container_create.go and podsandbox/sandbox_run_linux.go (uts); CRI-O server/sandbox_run_linux.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks
from pausewatch.model.namespace_owners import NamespaceOwners, Owner
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox, SandboxDetails
from pausewatch.model.view import NodeView


class Expected(StrEnum):
    """With whom the container is to share a Linux namespace."""

    SANDBOX = "sandbox"
    HOST = "host"
    NOBODY = "nobody"
    TARGET = "target container"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one container's first process is expected to be in."""

    whose: Expected
    inode: int | None
    """None for a namespace of the container's own, which has no reference to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceJudgement:
    """One Linux namespace of one container's first process."""

    kind: NamespaceKind
    inode: int
    """The one that it is in."""

    owner: Owner
    expectation: Expectation | None
    """None where nothing can be expected; ``not_judged`` says why."""

    not_judged: str
    as_expected: bool
    """True as well where nothing is expected."""


OWN = Expectation(whose=Expected.NOBODY, inode=None)

_POD, _NODE = NamespaceMode.POD, NamespaceMode.NODE
"""In Python 3.11 every look-up of a member by its class is a call."""

_EXPECTED: Mapping[NamespaceMode | None, Expected] = {
    NamespaceMode.POD: Expected.SANDBOX,
    NamespaceMode.NODE: Expected.HOST,
}

DECIDED_BY_SANDBOX = (NamespaceKind.NETWORK, NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.USER)
"""The kinds that are the same for all containers of a sandbox; the PID mode is each container's own."""

_decided_by_sandbox = attrgetter(*DECIDED_BY_SANDBOX)


_Right = tuple[tuple[NamespaceKind, ...], tuple[int | None, ...]]
"""Kinds of which something is expected of all containers of a sandbox, and the inode number that is right for each;
None where none is."""


class Sharing:
    """The Linux namespaces of all comparable containers of one node.

    Attributes:
        owners: Whose the node's namespaces are.
    """

    def __init__(self, node: NodeView) -> None:
        self._node = node
        self._host = node.host_links
        self._right_of_sandbox: dict[str, _Right] = {}
        self.owners = NamespaceOwners(node)

    def of(self, container: Container) -> tuple[NamespaceJudgement, ...]:
        """Return one judgement per kind; empty where the first process could not be read or compared."""
        links = self._comparable_links(container)
        if links is None:
            return ()
        return tuple(self._judgement(container, kind, links.of(kind)) for kind in NamespaceKind)

    def wrong(self, container: Container) -> tuple[NamespaceJudgement, ...]:
        """Return the judgements that are not as expected: what ``of`` returns, at a fraction of its cost."""
        links = self._comparable_links(container)
        if links is None:
            return ()
        kinds, right = self._right(container.sandbox_id)
        wrong = []
        if _decided_by_sandbox(links) != right:
            wrong = [kind for kind, inode in zip(kinds, right, strict=True) if links.of(kind) != inode]
        made_its_own = self.owners.of_pid_namespaces.get(links.pid) is container
        if not made_its_own and not self._as_expected(container, NamespaceKind.PID, links.pid):
            wrong.append(NamespaceKind.PID)
        if not wrong:
            return ()
        return tuple(self._judgement(container, kind, links.of(kind)) for kind in NamespaceKind if kind in wrong)

    def is_judged(self, container: Container) -> bool:
        """Whether anything could be expected of the container's first process."""
        if self._comparable_links(container) is None:
            return False
        return any(not isinstance(self._expect(container, kind), str) for kind in NamespaceKind)

    def _comparable_links(self, container: Container) -> NamespaceLinks | None:
        if container.sandbox_id in self._node.not_comparable:
            return None
        return self._node.links_of(container.id)

    def _right(self, sandbox_id: str) -> _Right:
        """Return what all containers of a sandbox must be in: a scan of a healthy node spends its time here."""
        right = self._right_of_sandbox.get(sandbox_id)
        if right is None:
            sandbox = self._node.sandboxes[sandbox_id]
            right = self._right_of_sandbox[sandbox_id] = self._right_inodes(sandbox)
        return right

    def _right_inodes(self, sandbox: Sandbox) -> _Right:
        details = self._node.sandbox_details(sandbox)
        if details is None:
            return (), ()
        links = self._node.links_of(sandbox.id)
        usual = None if links is None or self._host is None else _usual_inodes(_modes(details), links, self._host)
        if usual is not None:
            return DECIDED_BY_SANDBOX, usual
        sharing = zip(DECIDED_BY_SANDBOX, map(_EXPECTED.get, _modes(details)), strict=True)
        known = [(kind, whose, self._inode(sandbox, kind, whose)) for kind, whose in sharing if whose is not None]
        known = [(kind, whose, inode) for kind, whose, inode in known if inode is not None]
        return tuple(kind for kind, _, _ in known), tuple(self._right_inode(*each) for each in known)

    def _judgement(self, container: Container, kind: NamespaceKind, inode: int) -> NamespaceJudgement:
        expected = self._expect(container, kind)
        return NamespaceJudgement(
            kind=kind,
            inode=inode,
            owner=self.owners.of(container, kind, inode),
            expectation=None if isinstance(expected, str) else expected,
            not_judged=expected if isinstance(expected, str) else "",
            as_expected=self._as_expected(container, kind, inode),
        )

    def _as_expected(self, container: Container, kind: NamespaceKind, inode: int) -> bool:
        expected = self._expect(container, kind)
        if isinstance(expected, str):
            return True
        if expected.whose is Expected.NOBODY:
            maker = self.owners.of_pid_namespaces.get(inode)
            return maker is not None and maker.id == container.id
        return inode == self._right_inode(kind, expected.whose, expected.inode)

    def _right_inode(self, kind: NamespaceKind, whose: Expected, inode: int | None) -> int | None:
        """Return the one that meets an expectation; None if none does."""
        if whose is Expected.SANDBOX and self._host is not None and self._host.of(kind) == inode:
            # A sandbox that shares its own with the node holds nothing of its pod's, whatever its containers do.
            return None
        return inode

    def _expect(self, container: Container, kind: NamespaceKind) -> Expectation | str:
        """Return what is expected, or why nothing can be."""
        sandbox = self._node.sandboxes[container.sandbox_id]
        if kind is NamespaceKind.PID:
            return self._expect_pid(container, sandbox)
        return self._expect_of_sandbox(sandbox, kind)

    def _expect_of_sandbox(self, sandbox: Sandbox, kind: NamespaceKind) -> Expectation | str:
        whose = self._whose(sandbox, kind)
        return self._expectation(sandbox, kind, whose) if isinstance(whose, Expected) else whose

    def _whose(self, sandbox: Sandbox, kind: NamespaceKind) -> Expected | str:
        """Return with whom all containers of a sandbox are to share a kind, or why nobody knows."""
        details = self._node.sandbox_details(sandbox)
        if details is None:
            return "the runtime gave no status of the sandbox"
        if kind is NamespaceKind.UTS and details.spec_namespaces is None:
            return "the runtime gave no specification of the sandbox"
        modes = dict(zip(DECIDED_BY_SANDBOX, _modes(details), strict=True))
        return _EXPECTED.get(modes[kind]) or f"the runtime tells no sharing mode of the {kind} namespace"

    def _expectation(self, sandbox: Sandbox, kind: NamespaceKind, whose: Expected) -> Expectation | str:
        inode = self._inode(sandbox, kind, whose)
        if inode is not None:
            return Expectation(whose=whose, inode=inode)
        if whose is Expected.HOST:
            return "the node's own namespaces could not be read"
        return f"the {kind} namespace of the sandbox could not be read"

    def _inode(self, sandbox: Sandbox, kind: NamespaceKind, whose: Expected) -> int | None:
        """Return what the sandbox or the node has; None if it could not be read."""
        if whose is Expected.SANDBOX:
            return self.owners.reference(sandbox, kind)
        return None if self._host is None else self._host.of(kind)

    def _expect_pid(self, container: Container, sandbox: Sandbox) -> Expectation | str:
        details = self._node.container_details(container)
        match None if details is None else details.pid_mode:
            case NamespaceMode.CONTAINER:
                return OWN
            case NamespaceMode.POD:
                return self._expectation(sandbox, NamespaceKind.PID, Expected.SANDBOX)
            case NamespaceMode.NODE:
                return self._expectation(sandbox, NamespaceKind.PID, Expected.HOST)
            case NamespaceMode.TARGET:
                inode = self._target_pid_namespace(container)
                if inode is None:
                    return "its target container is not running"
                return Expectation(whose=Expected.TARGET, inode=inode)
            case None:
                return "the runtime does not tell the PID mode of the container"

    def _target_pid_namespace(self, container: Container) -> int | None:
        details = self._node.container_details(container)
        if details is None:
            return None
        if details.target_id:
            links = self._node.links_of(details.target_id)
            return None if links is None else links.pid
        # CRI-O names no target, but pins its PID namespace and puts the path into the specification.
        entries = details.spec_namespaces or ()
        return next((self._node.pins.get(entry.path) for entry in entries if entry.kind is NamespaceKind.PID), None)


def _modes(details: SandboxDetails) -> tuple[NamespaceMode | None, ...]:
    """Return the modes of a sandbox, in the order of ``DECIDED_BY_SANDBOX``."""
    # A runtime that does not know user namespaces tells no mode.
    return details.network_mode, details.ipc_mode, details.uts_mode, details.user_mode or NamespaceMode.NODE


def _usual_inodes(
    modes: tuple[NamespaceMode | None, ...], held: NamespaceLinks, host: NamespaceLinks
) -> tuple[int | None, ...] | None:
    """Return what is right where everything is known, as almost always; None where some mode is not.

    It says what ``_right_inodes`` says, without a call and a look-up for each kind of each sandbox.
    """
    right: list[int | None] = []
    for mode, own, hosts in zip(modes, _decided_by_sandbox(held), _decided_by_sandbox(host), strict=True):
        if mode is _NODE:
            right.append(hosts)
        elif mode is _POD:
            right.append(None if own == hosts else own)
        else:
            return None
    return tuple(right)
