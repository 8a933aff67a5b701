"""One agent without a node: all of its code that talks to the API server, and none that looks at a node.

Each has its own token, client, report writer, poster of Events and watch (kopf, in a thread of its own), put together
as ``pausewatch.agent.run`` does it. Its scans are the agent's loop with its jitter; what they find is told from
outside.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

from pausewatch.agent import earlier
from pausewatch.agent.pod_watch import PodWatch
from pausewatch.agent.pods import ApiPods
from pausewatch.agent.scan_loop import ScanLoop
from pausewatch.agent.threads import ask_loop
from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.client import REQUEST_SECONDS
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.event_poster import EventPoster
from pausewatch.cluster.pods import get_pod, list_pods
from pausewatch.cluster.report_writer import ReportWriter
from pausewatch.cluster.reports import NodeReports
from pausewatch.cluster.waiting_pods import ask_why_waiting
from pausewatch.cluster.write_schedule import Pace
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Finding
from pausewatch.model.settings import Settings
from pausewatch.scan import Look
from pausewatch.sinks import events
from pausewatch.sinks import report as report_object
from scale import reports
from scale.requests import MeasuredClient, RequestLog
from support.builders import a_snapshot

T = TypeVar("T")

USUAL = Settings()


class VirtualNode:
    """The agent of one node.

    Attributes:
        name: Of the node.
        findings: What its next scan finds.
        troubles: How often something did not work, by reason.
    """

    def __init__(self, name: str, place: ConnectionPlace, log: RequestLog, tempo: float) -> None:
        """Put the parts together; nothing is asked yet.

        Args:
            name: Of the node.
            place: Where its token lies.
            log: Takes what its requests took.
            tempo: How many times faster than by default it scans and writes. Bounds of Events stay as they are.
        """
        self.name = name
        self.findings: tuple[Finding, ...] = ()
        self.troubles: Counter[str] = Counter()
        self._api = MeasuredClient(place, log)
        self._writer = ReportWriter(
            NodeReports(api=self._api, node_name=name),
            Pace(
                interval_seconds=USUAL.report_interval_seconds / tempo,
                heartbeat_seconds=USUAL.report_heartbeat_seconds / tempo,
            ),
            carry=earlier.with_transition_times,
            tell=self._tell,
        )
        self._poster = EventPoster(self._api, name, self._tell)
        self._watch = PodWatch(name, place, self._writer.was_seen, self._writer.may_have_missed)
        waiting = WaitingPods(lambda pod: self._ask(ask_why_waiting(self._api, pod)), USUAL.scan_period_seconds)
        self._pods = ApiPods(
            self._watch,
            lambda: self._ask(list_pods(self._api, name)),
            lambda namespace, pod: self._ask(get_pod(self._api, namespace, pod)),
            waiting,
        )
        self._scans = ScanLoop(
            self._look,
            period_seconds=USUAL.scan_period_seconds / tempo,
            second_look_seconds=USUAL.look_interval_seconds,
            before=lambda history: history,
            after=self._after_look,
        )
        self._told: events.Known = {}
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[Any]] = []  # kept alive by us alone

    @property
    def is_watching(self) -> bool:
        """Whether the pods of its node are known."""
        return self._watch.was_complete.is_set()

    @property
    def stored_findings(self) -> int | None:
        """How many findings its stored report has; None while there is no report with a status."""
        status = (self._writer.stored or {}).get("status")
        return len(status["findings"]) if status else None

    @property
    def stored_owners(self) -> list[str]:
        """The uids of the owners of its stored report."""
        metadata = (self._writer.stored or {}).get("metadata", {})
        return [one["uid"] for one in metadata.get("ownerReferences", ())]

    @property
    def events_posted(self) -> int:
        """How many Events the API server took."""
        return self._poster.posted

    @property
    def events_dropped(self) -> int:
        """How many Events were not posted, and never will be."""
        return sum(self._poster.dropped.values())

    @property
    def has_to_wait_with_events(self) -> bool:
        """Whether it has posted all Events that it has, or has to keep its bounds."""
        return self._poster.wait_seconds() > 0

    def __str__(self) -> str:
        """Return its state, for the error of a wait."""
        return (
            f"{self.name}: {self.stored_findings} findings stored, {self.events_posted} Events posted and"
            f" {self.events_dropped} dropped, troubles {dict(self.troubles)}, watch {self._watch.trouble},"
            f" scan {self._scans.iterations.crash or 'well'}"
        )

    def watch(self) -> None:
        """Begin to watch, as the agent does at its start."""
        self._start(self._watch.run())

    def write(self) -> None:
        """Begin to scan and to write."""
        self._start(self._writer.run())
        self._start(self._poster.run())
        self._start(self._scans.run())

    def stop_watching(self) -> None:
        """Let the watch end; its thread does so by itself."""
        self._watch.stop()

    async def close(self) -> None:
        """Give back its connections, once its tasks have ended."""
        await self._api.close()

    def _look(self, history: History) -> Look:
        findings = self.findings
        # Asked as in a scan. The pods that findings are about are said to be there.
        self._pods.read()
        snapshot = a_snapshot(node_name=self.name, pods=reports.pods_of(findings))
        return Look(snapshot=snapshot, report=reports.report(self.name, findings), history=history)

    def _after_look(self, found: Look) -> None:
        self._writer.offer(report_object.render(found.report))
        news, self._told = events.news(self._told, found.report, found.snapshot.pods, settled=True)
        self._poster.offer(news)

    def _tell(self, now: Unavailable | None) -> None:
        if now is not None:
            self.troubles[now.reason] += 1

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        return ask_loop(self._loop, question, REQUEST_SECONDS + 1)

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(asyncio.create_task(work))
