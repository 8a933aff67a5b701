"""Judgements of the Linux namespaces of the healthy node, changed where a test says."""

from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sharing import NamespaceJudgement, Sharing
from pausewatch.model.snapshot import Snapshot
from support.builders import a_node
from support.changes import with_first_process
from support.parts import FIRST_INODE, HOST_LINKS, SHARED_PAUSE_PID, WEB_PAUSE_PID

WEB_NETWORK = FIRST_INODE + WEB_PAUSE_PID
SHARED_NETWORK = FIRST_INODE + SHARED_PAUSE_PID
NEW = FIRST_INODE + 99_999


def judge(snapshot: Snapshot, container_id: str, kind: NamespaceKind) -> NamespaceJudgement:
    """Return the judgement of one Linux namespace of one container."""
    node = a_node(snapshot)
    judgements = Sharing(node).of(node.containers[container_id])
    return next(judgement for judgement in judgements if judgement.kind is kind)


def wrong(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return container name and kind of everything that is not as expected."""
    node = a_node(snapshot)
    sharing = Sharing(node)
    return [(container.name, one.kind) for container in node.running_containers for one in sharing.wrong(container)]


def in_host(snapshot: Snapshot, owner_id: str, *kinds: str) -> Snapshot:
    """Move a first process into the node's namespaces of these kinds."""
    changes = {kind: getattr(HOST_LINKS, kind) for kind in kinds}
    return with_first_process(snapshot, owner_id, **changes)
