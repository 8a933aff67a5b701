"""What the runtime told of processes and /proc shows otherwise, so that it is worth asking again.

A status is remembered for as long as its sandbox or container is in the same state. A wrong one would be too: a runtime
that named another process once would leave a container unjudged until its end.
"""

from collections.abc import Mapping

from pausewatch.model.availability import Unavailable
from pausewatch.model.comparable import why_not_comparable
from pausewatch.model.sandbox import Sandbox
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.untold import sandboxes_without_named_pause


def doubtful(snapshot: Snapshot) -> frozenset[str]:
    """Return the ids of sandboxes and containers whose first process is not named, or in the cgroup of somebody else.

    Not those of a virtual machine or a user-space kernel, of which that is true for good. A running container without a
    process is asked about again anyway (``cri.source``).
    """
    unnamed = frozenset(sandbox.id for sandbox in sandboxes_without_named_pause(snapshot))
    return unnamed | _strangers(snapshot)


def _strangers(snapshot: Snapshot) -> frozenset[str]:
    if isinstance(snapshot.first_processes, Unavailable) or isinstance(snapshot.sandboxes, Unavailable):
        return frozenset()
    strangers = [first.owner_id for first in snapshot.first_processes if not first.in_own_cgroup]
    if not strangers:
        return frozenset()
    containers = () if isinstance(snapshot.containers, Unavailable) else snapshot.containers
    sandbox_of = {container.id: container.sandbox_id for container in containers}
    sandboxes = {sandbox.id: sandbox for sandbox in snapshot.sandboxes}
    return frozenset(one for one in strangers if _is_ordinary(sandboxes, sandbox_of.get(one, one)))


def _is_ordinary(sandboxes: Mapping[str, Sandbox], sandbox_id: str) -> bool:
    return sandbox_id in sandboxes and not why_not_comparable(sandboxes[sandbox_id], ())
