"""A fleet of virtual nodes, led through the stages of a cluster's life."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.shapes.cluster import Cluster
from pausewatch.agent.threads import end_other_tasks
from pausewatch.sinks import bounds
from scale import fleet
from scale.plan import Plan
from scale.progress import say
from scale.reports import finding
from scale.requests import RequestLog
from scale.servers import Scrape, Servers
from scale.stage import Stage, stage
from scale.virtual_node import VirtualNode

REPORT_PREFIX = "/registry/pausewatch.github.io/podsandboxreports/virtual-"
EVENT_PREFIX = "/registry/events/lab/web-7d4b9c6f5-"
"""Where the API server keeps the objects of the simulation."""

POLL_SECONDS = 0.1
ENDING_SECONDS = 60.0
NEWS_EVERY_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What one kind of object takes."""

    object_bytes: float
    """Of one value in etcd; 0 where there is none."""

    database_bytes: int
    """Of all of etcd's database, after compaction and defragmentation."""


@dataclass(slots=True, kw_only=True)
class Measured:
    """What one simulation gave."""

    plan: Plan
    stages: dict[str, Stage] = field(default_factory=dict)
    sizes: dict[str, Sizes] = field(default_factory=dict)
    """Of reports without finding, reports at their cap, and Events."""

    list_objects: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Pods and reports that LISTs fetched from the watch cache, returned, and looked at in etcd."""

    owned: int = 0
    """Reports whose owner is a Node."""

    events_posted: int = 0
    events_dropped: int = 0
    troubles: dict[str, int] = field(default_factory=dict)
    unfinished: dict[str, int] = field(default_factory=dict)
    """For how many nodes something did not come within the limit of a stage, by what that is."""


class Simulation:
    """One run of one plan on one cluster, in which everything is installed."""

    def __init__(self, cluster: Cluster, plan: Plan, folder: Path, tell: Callable[[Stage], None]) -> None:
        """Prepare; nothing is made yet.

        Args:
            cluster: Where the nodes will be.
            plan: How it goes.
            folder: For the tokens.
            tell: Called after each stage.
        """
        self._cluster = cluster
        self._tell = tell
        self._plan = plan
        self._folder = folder
        self._servers = Servers(cluster)
        self._log = RequestLog()
        self._nodes: list[VirtualNode] = []
        self._measured = Measured(plan=plan)

    async def run(self) -> Measured:
        """Lead the nodes through all stages, and return what each cost.

        Raises:
            ApiError: The nodes could not be made.
        """
        names = fleet.names(self._plan.nodes)
        places = await fleet.make(self._cluster, names, self._folder)
        for name, place in zip(names, places, strict=True):
            self._nodes.append(VirtualNode(name, place, self._log, self._plan.tempo))
        try:
            await self._stages()
        finally:
            await self._end()
        return self._measured

    async def _stages(self) -> None:
        plan, nodes = self._plan, self._nodes
        before = await self._scrape()
        await self._stage("idle", lambda: asyncio.sleep(plan.idle_seconds))
        await self._stage("start of all watches", self._watch)
        await self._stage("watching", lambda: asyncio.sleep(plan.watching_seconds))
        await self._stage("first reports", self._write)
        await self._measure("report without finding", REPORT_PREFIX)
        await self._stage("quiet", lambda: asyncio.sleep(plan.quiet_seconds))
        await self._stage("storm: one new finding on each node", lambda: self._find(1))
        await self._stage(f"storm: {bounds.FINDINGS} findings of the longest kind", lambda: self._find(bounds.FINDINGS))
        await self._stage("quiet, reports at their cap", lambda: asyncio.sleep(plan.quiet_seconds))
        await self._measure("report at its cap", REPORT_PREFIX)
        await self._measure("Event, ordinary", f"{EVENT_PREFIX}00000")
        await self._measure("Event of the longest kind", f"{EVENT_PREFIX}00001")
        after = await self._scrape()
        measured = self._measured
        measured.list_objects = _lists(before, after)
        measured.owned = sum(bool(node.stored_owners) for node in nodes)
        measured.events_posted = sum(node.events_posted for node in nodes)
        measured.events_dropped = sum(node.events_dropped for node in nodes)
        for node in nodes:
            for reason, count in node.troubles.items():
                measured.troubles[reason] = measured.troubles.get(reason, 0) + count

    async def _watch(self) -> None:
        await self._one_after_the_other(lambda node: node.watch())
        await self._until("all nodes to know their pods", lambda node: node.is_watching)

    async def _write(self) -> None:
        await self._one_after_the_other(lambda node: node.write())
        await self._until("all nodes to have a report", lambda node: node.stored_findings is not None)

    async def _one_after_the_other(self, begin: Callable[[VirtualNode], None]) -> None:
        """Begin something on each node, all within one scan period: an update of all nodes at once is no faster."""
        pause = self._plan.scan_period_seconds / len(self._nodes)
        for node in self._nodes:
            begin(node)
            await asyncio.sleep(pause)

    async def _find(self, count: int) -> None:
        """Let every node have so many findings at this moment; its next scan sees them.

        Over when all reports are stored, and each node has posted the Events that it may post without a wait.
        """
        for node in self._nodes:
            node.findings = tuple(
                finding(node.name, number, is_longest=count == bounds.FINDINGS) for number in range(count)
            )

        def is_told(node: VirtualNode) -> bool:
            return node.stored_findings == count and node.has_to_wait_with_events

        await self._until(f"all nodes to have told {count} findings", is_told)

    async def _stage(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        say(f"{self._plan.nodes} nodes: {name}")
        before, began = await self._scrape(), time.monotonic()
        await work()
        requests = self._log.since(began)
        ended = stage(name, before, await self._scrape(begins=False), requests)
        self._measured.stages[name] = ended
        self._tell(ended)

    async def _measure(self, what: str, prefix: str) -> None:
        values = await asyncio.to_thread(self._servers.value_bytes, prefix)
        size = await asyncio.to_thread(self._servers.stored_bytes)
        mean = math.fsum(values) / len(values) if values else 0.0
        self._measured.sizes[what] = Sizes(object_bytes=mean, database_bytes=size)

    async def _scrape(self, *, begins: bool = True) -> Scrape:
        return await asyncio.to_thread(self._servers.scrape, begins=begins)

    async def _until(self, what: str, condition: Callable[[VirtualNode], bool]) -> None:
        """Wait until a condition holds for every node; those for which it does not within the limit are told."""
        began = time.monotonic()
        missing, told_at = self._nodes, began
        while missing := [node for node in missing if not condition(node)]:
            now = time.monotonic()
            if now - began > self._plan.limit_seconds:
                some = "; ".join(map(str, missing[:3]))
                say(f"waited {self._plan.limit_seconds:g} s for {what}; {len(missing)} do not: {some}")
                self._measured.unfinished[what] = len(missing)
                return
            if now - told_at > NEWS_EVERY_SECONDS:
                told_at = now
                say(f"waiting for {what}: {len(missing)} of {len(self._nodes)} do not yet")
            await asyncio.sleep(POLL_SECONDS)

    async def _end(self) -> None:
        say(f"ending {len(self._nodes)} nodes")
        for node in self._nodes:
            node.stop_watching()
        async with asyncio.timeout(ENDING_SECONDS):
            await end_other_tasks()
        for node in self._nodes:
            await node.close()


def simulate(cluster: Cluster, plan: Plan, tell: Callable[[Stage], None]) -> Measured:
    """Run one plan on a cluster in which everything is installed; what was made there stays.

    Args:
        cluster: Where.
        plan: How it goes.
        tell: Called after each stage.

    Raises:
        LabError: A server did not answer.
        ApiError: The nodes could not be made.
    """
    with fleet.folder_of_tokens() as folder:
        return asyncio.run(Simulation(cluster, plan, folder, tell).run())


def _lists(before: Scrape, after: Scrape) -> tuple[float, float, float]:
    fetched, returned, looked_at = (
        later - earlier for earlier, later in zip(before.list_objects(), after.list_objects(), strict=True)
    )
    return fetched, returned, looked_at
