# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

"""A writer of reports on a bench: a server that keeps one report, and a clock that a test sets."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cluster.api_server import Answer, Asked, FakeApi, asking, status_object
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.report_writer import Carry, Clock, ReportWriter
from pausewatch.cluster.reports import NodeReports, Seen
from pausewatch.cluster.write_schedule import Pace
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Report
from pausewatch.sinks.report import Object, render
from support.parts import TAKEN_AT
from support.reports import a_report

PATH = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"
NOT_THERE: Answer = (404, status_object(404, "NotFound", name="node-7"))


class Store(FakeApi):
    """An API server that keeps one report; ``refuse`` may answer in its place."""

    def __init__(self, report: Object | None = None) -> None:
        super().__init__(self._serve)
        self.report = report
        self.uids = 0
        self.version = 0
        self.refuse: Callable[[Asked], Answer | None] = lambda _: None

    def writes(self) -> list[str]:
        """Return what was written so far."""
        return [asked.brief.replace(PATH, "") for asked in self.asked if asked.path.startswith(PATH) and asked.body]

    def seen(self) -> Seen:
        """Return what the watch says about the report as it is stored."""
        assert self.report is not None
        metadata = self.report["metadata"]
        return Seen(uid=metadata["uid"], version=metadata["resourceVersion"])

    def edit(self, **status: Any) -> None:
        """Change the stored report as somebody else might."""
        assert self.report is not None
        self._keep(self.report | {"status": self.report["status"] | status})

    def look_of_another(self, taken_at: datetime, **changes: Any) -> Seen:
        """Have another agent of the node write what it saw; return what the watch says of it."""
        self.edit(**render(a_report(taken_at=taken_at, **changes))["status"])
        return self.seen()

    def _keep(self, report: Object) -> Object:
        self.version += 1
        self.report = report | {"metadata": report["metadata"] | {"resourceVersion": str(self.version)}}
        return self.report

    def _serve(self, asked: Asked) -> Answer:
        refused = self.refuse(asked)
        if refused is not None:
            return refused
        if asked.brief == f"POST {PATH}":
            self.uids += 1
            return (201, self._keep({**asked.body, "metadata": asked.body["metadata"] | {"uid": f"uid-{self.uids}"}}))
        if not asked.path.startswith(PATH):
            return (403, status_object(403, "Forbidden"))
        if self.report is None:
            return NOT_THERE
        if asked.method == "PATCH":
            self._keep(self.report | {"status": asked.body[0]["value"]})
        return (200, self.report)


class Bench:
    """A writer with a store, a clock that stands still, and what it told."""

    def __init__(self, store: Store, client: ApiClient, carry: Carry) -> None:
        self.store = store
        self.seconds = 1000.0
        self.clock_step = timedelta()
        self.told: list[Unavailable | None] = []
        clock = Clock(
            monotonic=lambda: self.seconds,
            now=lambda: self.now,
            chance=lambda: 0.5,
        )
        self.writer = ReportWriter(
            NodeReports(api=client, node_name="node-7"),
            Pace(),
            carry=carry,
            tell=self.told.append,
            clock=clock,
        )

    @property
    def now(self) -> datetime:
        """What the clock of the node shows; somebody may set it."""
        return TAKEN_AT + timedelta(seconds=self.seconds - 1000) + self.clock_step

    def offer(self, **changes: Any) -> None:
        """Offer a report that was taken now, changed where said."""
        report: Report = a_report(taken_at=self.now, **changes)
        self.writer.offer(render(report))

    async def settle(self) -> None:
        """Take steps until the next one has to wait."""
        for _ in range(10):
            if self.writer.wait_seconds() > 0:
                return
            await self.writer.step()
        raise AssertionError("the writer does not come to rest")


def on_bench(
    folder: Path,
    act: Callable[[Bench], Any],
    report: Object | None = None,
    carry: Carry = lambda status, _: status,
) -> Bench:
    """Run ``act`` with a writer whose API server holds ``report``."""

    async def run() -> Bench:
        store = Store(report)
        async with asking(store, folder) as client:
            bench = Bench(store, client, carry)
            await act(bench)
            return bench

    return asyncio.run(run())


def stored(**changes: Any) -> Object:
    """Return the report as an earlier run left it."""
    report = render(a_report(**changes))
    return report | {"metadata": report["metadata"] | {"uid": "earlier", "resourceVersion": "0"}}
