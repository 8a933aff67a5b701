"""Lists of the runtime that can not be true.

Half of what is wrong with a node is told by what a list lacks: an orphan, a lost address, a process of nobody. A list
that contradicts itself proves nothing of that kind, so it counts as none.
"""

from collections.abc import Iterable

from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.memory import ListedT, ListError, Memory, ValueT


def unknown(memory: Memory[ValueT], listed: Iterable[ListedT] | Unavailable) -> list[ListedT] | Unavailable:
    """Return the entries of a list that a memory does not know in their state, and let it forget what is not listed.

    Unavailable if an entry has no proper id, or two have the same.
    """
    if isinstance(listed, Unavailable):
        return listed
    try:
        return memory.recall(listed)
    except ListError as error:
        return _contradictory(str(error))


def containers_but(
    sandboxes: cri.ListPodSandboxResponse | Unavailable, containers: cri.ListContainersResponse | Unavailable
) -> Iterable[cri.Container] | Unavailable:
    """Return the entries of a list of containers; Unavailable if one of them has the id of a sandbox."""
    if isinstance(containers, Unavailable):
        return containers
    ids = set() if isinstance(sandboxes, Unavailable) else {sandbox.id for sandbox in sandboxes.items}
    both = next((one.id for one in containers.containers if one.id in ids), None)
    return containers.containers if both is None else _contradictory(f"calls the sandbox {printable(both)} a container")


def _contradictory(cause: str) -> Unavailable:
    return Unavailable(
        reason="ListContradictory",
        detail=f"the runtime gave a list that {cause}",
        remedy="compare crictl pods with crictl ps --all, and restart the container runtime if it does not recover",
    )
