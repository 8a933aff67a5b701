"""A container's first process, 42, and a reader of it without a sweep of the whole node."""

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.process import FirstProcess, Identity, Process
from pausewatch.sources.procfs import process_stat
from pausewatch.sources.procfs.first_processes import FirstProcesses

OWNER = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
STRANGER = "0123456789abcdef" * 4
OWN_CGROUP = f"0::/kubepods/pod2595976c-bc45-40c5-b56f-faaf68d2f9c4/{OWNER}\n"
WANTED = [(OWNER, 42)]
LINKS = NamespaceLinks(network=101, ipc=102, uts=103, pid=104, user=105)
HEALTHY = FirstProcess(owner_id=OWNER, identity=Identity(pid=42, start_ticks=1000), links=LINKS, in_own_cgroup=True)


class Reader:
    """Reads first processes, with a sweep that looks at each process when it is asked for."""

    def __init__(self, root: str, most_descriptors: int = 0) -> None:
        self.root = root
        self.seen: dict[int, Process | None] = {}
        """What the sweep saw, where that is no longer so."""
        self.asleep: set[int] = set()
        self.firsts = FirstProcesses(root, most_descriptors=most_descriptors)

    def latest(self, pid: int) -> Process | None:
        """Return the process that a sweep would have found."""
        if pid in self.seen:
            return self.seen[pid]
        found = process_stat.read(self.root, pid)
        assert not isinstance(found, Unavailable)
        return found

    def slept(self, pid: int) -> bool:
        """Return what a sweep would have noticed."""
        return pid in self.asleep

    def read(self, *wanted: tuple[str, int]) -> tuple[FirstProcess, ...]:
        """Return what is read of the wanted ones."""
        found = self.firsts.read(wanted, self)
        assert not isinstance(found, Unavailable), found
        return found
