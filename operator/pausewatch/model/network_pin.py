"""Network namespaces that a file keeps alive."""

from dataclasses import dataclass

from pausewatch.model.process import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPin:
    """A pinned network namespace with a name of the runtime's own pattern."""

    path: str
    """As the runtime's mount namespace shows it, symbolic links resolved: ``/run/netns/cni-...``."""

    inode: int
    processes_inside: int | None
    """None where it was not counted: only of those that no sandbox owns."""

    holders: tuple[Identity, ...] = ()
    """Processes in other mount namespaces whose mounts hold it as well, so that the file can not be removed; of those
    that no sandbox owns."""
