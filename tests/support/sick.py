"""A node with many faults at once, for what holds whatever is found."""

from pausewatch.model.snapshot import Snapshot
from support.builders import (
    HOST_LINKS,
    SHARED_WORKER_ID,
    WEB_APP_PID,
    WEB_SIDE_ID,
    a_pod,
    a_snapshot,
)
from support.changes import with_first_process, with_zombies


def a_sick_snapshot() -> Snapshot:
    """Return a node with two wrong Linux namespaces, zombies of a pod and of the node, and an orphan."""
    orphaned = a_snapshot(pods=(a_pod(),))
    moved = with_first_process(orphaned, WEB_SIDE_ID, network=HOST_LINKS.network)
    torn = with_first_process(moved, SHARED_WORKER_ID, ipc=4_026_539_999)
    forgotten = with_zombies(torn, 12, WEB_APP_PID)
    return with_zombies(forgotten, 15, 900, first_pid=6000)
