"""Where the zombies of a node and their parents belong: read once per process, for it does not change."""

from collections.abc import Callable, Iterable

from pausewatch.model.availability import PERMISSION_DENIED, Unavailable
from pausewatch.model.process import Identity, Placement, Process
from pausewatch.sources.procfs import cgroup, namespace_links, process_stat


class Placements:
    """Reads the PID namespace and the container of zombies and their parents.

    A process never leaves its PID namespace (pid_namespaces(7)), and one that has died stays where it was. Thousands of
    zombies therefore cost two reads each, once. What is remembered saves time and nothing else.
    """

    def __init__(self, root: str) -> None:
        """Prepare for the processes below ``root``."""
        self._root = root
        self._remembered: dict[Identity, Placement] = {}
        self._read_in_part: set[Identity] = set()
        """In this scan: the node had no free file, for one. Remembered, they would count as the node's own for good."""

    def read(self, processes: Iterable[Process], process_of: Callable[[int], Process | None]) -> tuple[Placement, ...]:
        """Return the placement of every zombie among ``processes`` and of each zombie's parent, by pid.

        Args:
            processes: those of this scan.
            process_of: gives the process among them that has a certain pid.
        """
        self._read_in_part = set()
        identities: dict[Identity, None] = {}
        for process in processes:
            if process.is_zombie:
                identities[process.identity] = None
                parent = process_of(process.parent_pid)
                if parent is not None:
                    identities[parent.identity] = None
        placed = {identity: self._remembered.get(identity) or self._place(identity) for identity in identities}
        found = {identity: placement for identity, placement in placed.items() if placement is not None}
        self._remembered = {one: placement for one, placement in found.items() if one not in self._read_in_part}
        return tuple(sorted(found.values(), key=lambda placement: placement.identity.pid))

    def _place(self, identity: Identity) -> Placement | None:
        """Read a placement; None if the process is gone."""
        pid_namespace = namespace_links.read_pid_namespace(self._root, identity.pid)
        text = cgroup.read(self._root, identity.pid)
        # Read last, so that everything before belongs to this process and not to the next owner of its number.
        now = process_stat.read(self._root, identity.pid)
        if now is None or isinstance(now, Unavailable) or now.identity != identity:
            return None
        if isinstance(text, Unavailable) and text.reason != PERMISSION_DENIED:
            self._read_in_part.add(identity)
        return Placement(
            identity=identity,
            pid_namespace=pid_namespace if isinstance(pid_namespace, int) else None,
            container_id=cgroup.container_id(text) if isinstance(text, str) else None,
        )
