"""One look at a node: collect, confirm, evaluate."""

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from pausewatch.model.history import History
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import ChangedOwner, Snapshot
from pausewatch.scan import judge, look
from pausewatch.sources.collector import Collector
from support.builders import a_snapshot
from support.changes import with_first_process
from support.parts import HOST_LINKS, WEB_APP_ID, WEB_SANDBOX_ID

BROKEN = with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network)


class Nodes:
    """A collector whose node is given; remembers what it was asked to read once more."""

    def __init__(self, snapshot: Snapshot, *changed: ChangedOwner) -> None:
        self.snapshot = snapshot
        self.changed = changed
        self.confirmed: list[frozenset[str]] = []

    def collect(self) -> Snapshot:
        """Return the node."""
        return self.snapshot

    def confirm(self, snapshot: Snapshot, owner_ids: Collection[str]) -> Snapshot:
        """Name what changed meanwhile."""
        self.confirmed.append(frozenset(owner_ids))
        return replace(snapshot, changed_owners=self.changed)


def found(nodes: Nodes, looks: int) -> list[str]:
    """Return the reasons found by the last of some looks."""
    history = History()
    for _ in range(looks):
        result = look(cast("Collector", nodes), history, Settings())
        history = result.history
    return [finding.reason for finding in result.report.findings]


def test_healthy_node_is_read_once() -> None:
    """Nothing is suspicious, so nothing has to be confirmed: no further call to the runtime."""
    nodes = Nodes(a_snapshot())

    assert found(nodes, looks=2) == []
    assert nodes.confirmed == []


def test_each_phase_is_timed() -> None:
    """Whoever sees that scans take long wants to know whether it is the reading; what was not needed took no time."""
    result = look(cast("Collector", Nodes(a_snapshot())), History(), Settings())

    assert list(result.duration_seconds) == ["read", "judge", "confirm"]
    assert all(seconds >= 0 for seconds in result.duration_seconds.values())
    assert judge(a_snapshot(), History(), Settings()).duration_seconds == {}


def test_suspicion_is_confirmed_in_every_look() -> None:
    """The container and the sandbox it was compared with, and nothing else."""
    nodes = Nodes(BROKEN)

    assert found(nodes, looks=2) == ["HostNamespaceJoined"]
    assert nodes.confirmed == [{WEB_APP_ID, WEB_SANDBOX_ID}] * 2


def test_what_changed_meanwhile_is_never_found() -> None:
    """However often it is looked at."""
    nodes = Nodes(BROKEN, ChangedOwner(owner_id=WEB_APP_ID, reason="has exited"))

    assert found(nodes, looks=3) == []


def test_what_is_confirmed_is_not_judged_again() -> None:
    """A node with a fault costs no second judgement, but for the one scan in which something changed meanwhile."""
    same, changed = Nodes(BROKEN), Nodes(BROKEN, ChangedOwner(owner_id=WEB_SANDBOX_ID, reason="is not ready"))
    looks = [look(cast("Collector", nodes), History(), Settings()) for nodes in (same, changed)]

    assert looks[0].snapshot is BROKEN
    assert looks[1].snapshot.changed_owners == changed.changed


def test_recorded_snapshots_are_judged_the_same() -> None:
    """Without a collector."""
    first = judge(BROKEN, History(), Settings())
    second = judge(BROKEN, first.history, Settings())

    assert [finding.reason for finding in second.report.findings] == ["HostNamespaceJoined"]
    assert second.snapshot is BROKEN
