"""What one scan leaves to the next: since when something has been so, which no single look can tell.

Where a section is missing, what was remembered of it stays: unknown is no news.
"""

from collections.abc import Mapping
from dataclasses import replace

from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History, PodMemory
from pausewatch.model.process import Identity
from pausewatch.model.sandbox_births import Births
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from pausewatch.model.zombie_growth import Counts, ZombieCount, with_count
from pausewatch.model.zombies import ZombieGroup

PLACE_ZOMBIES = ("sandboxes", "containers", "first_processes", "processes")
"""Sections without which all zombies would look like the node's own."""


def following_memory(node: NodeView, known: History, holding: tuple[ZombieGroup, ...]) -> History:
    """Return the History for the next scan, but for what it tells of findings, which stays as it was.

    Args:
        node: As it was seen in this scan.
        known: What the scans before left; empty in the first one of a boot.
        holding: All zombies of the node, grouped.
    """
    return replace(
        known,
        boot_id=node.snapshot.boot_id,
        zombies_seen_since=_zombies_seen_since(node, known),
        zombie_counts=_zombie_counts(node, holding, known),
        pods=_pods(node, known),
        waiting_since=_waiting_since(node, known),
        lost_since=_lost_since(node, known),
        sandbox_births=_sandbox_births(node, known),
    )


def _zombie_counts(node: NodeView, groups: tuple[ZombieGroup, ...], known: History) -> Counts:
    if any(isinstance(getattr(node.snapshot, section), Unavailable) for section in PLACE_ZOMBIES):
        return known.zombie_counts
    now = node.snapshot.uptime_seconds
    return {
        group.owner_id: with_count(
            known.zombie_counts.get(group.owner_id, ()), ZombieCount(uptime_seconds=now, zombies=len(group.zombies))
        )
        for group in groups
    }


def _zombies_seen_since(node: NodeView, known: History) -> Mapping[Identity, float]:
    if isinstance(node.snapshot.processes, Unavailable):
        return known.zombies_seen_since
    now = node.snapshot.uptime_seconds
    return {zombie.identity: known.zombies_seen_since.get(zombie.identity, now) for zombie in node.zombies}


def _pods(node: NodeView, known: History) -> Mapping[str, PodMemory]:
    snapshot = node.snapshot
    if isinstance(snapshot.pods, Unavailable) or isinstance(snapshot.sandboxes, Unavailable):
        return known.pods
    memories: dict[str, PodMemory] = {}
    for sandbox in node.sandboxes.values():
        before = known.pods.get(sandbox.id)
        pod = node.pods.get(sandbox.uid)
        deleting = pod is not None and pod.deletion_due_at is not None
        memories[sandbox.id] = PodMemory(
            grace_seconds=node.grace_seconds(sandbox),
            absent_since=_since(before.absent_since if before else None, snapshot, holds=pod is None),
            deleting_since=_since(before.deleting_since if before else None, snapshot, holds=deleting),
        )
    return memories


def _since(before: float | None, snapshot: Snapshot, *, holds: bool) -> float | None:
    """Return since when something holds, which did since ``before``; None if it does not."""
    if not holds:
        return None
    return snapshot.uptime_seconds if before is None else before


def _waiting_since(node: NodeView, known: History) -> Mapping[str, float]:
    if isinstance(node.snapshot.waiting_pods, Unavailable):
        return known.waiting_since
    now = node.snapshot.uptime_seconds
    return {waiting.uid: known.waiting_since.get(waiting.uid, now) for waiting in node.snapshot.waiting_pods}


def _lost_since(node: NodeView, known: History) -> Mapping[str, float]:
    """Remember since when containers lack their process and sandboxes their pause.

    While a section is missing, what was seen of something that is still listed stays: what is dead stays dead.
    """
    snapshot = node.snapshot
    if isinstance(snapshot.sandboxes, Unavailable) or isinstance(snapshot.containers, Unavailable):
        return known.lost_since
    containers = (container.id for container in node.containers_without_process)
    sandboxes = (sandbox.id for sandbox in node.sandboxes_without_pause)
    now = {one: known.lost_since.get(one, snapshot.uptime_seconds) for one in (*containers, *sandboxes)}
    if isinstance(snapshot.processes, Unavailable) or isinstance(snapshot.first_processes, Unavailable):
        listed = node.sandboxes.keys() | node.containers.keys()
        return {owner_id: since for owner_id, since in known.lost_since.items() if owner_id in listed} | now
    return now


def _sandbox_births(node: NodeView, known: History) -> Births:
    return known.sandbox_births if isinstance(node.snapshot.sandboxes, Unavailable) else node.sandbox_births
