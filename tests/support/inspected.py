"""Sandboxes of a node as ``pausewatch inspect`` sees them."""

from dataclasses import replace

from pausewatch.model.history import History
from pausewatch.model.report import Report
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.view import NodeView
from pausewatch.scan import judge
from pausewatch.sinks.inspection import SandboxFacts, inspection

LOOKS = 3


def judged(snapshot: Snapshot) -> Report:
    """Return what is found on a node that stays as it is for three looks, a second apart."""
    history = History()
    for number in range(LOOKS):
        found = judge(replace(snapshot, uptime_seconds=snapshot.uptime_seconds + number), history, Settings())
        history = found.history
    return found.report


def inspected_sandboxes(snapshot: Snapshot, *sandbox_ids: str) -> tuple[SandboxFacts, ...]:
    """Return the facts about some sandboxes of such a node, all of them if none is named."""
    node = NodeView(snapshot, History())
    return inspection(node, [node.sandboxes[one] for one in sandbox_ids or node.sandboxes], judged(snapshot))
