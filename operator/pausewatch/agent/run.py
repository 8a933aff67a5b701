"""The agent put together: who runs in which thread, who tells whom, and how it ends.

The main thread's event loop has the pages, the pace of the scan and the report. The scan has a thread, because it
blocks on /proc and the runtime; kopf has one, because it ends what runs beside it. Both are daemons: SIGTERM ends
the program within seconds, whatever hangs.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Coroutine, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar

from pausewatch.agent import earlier, restart, startup
from pausewatch.agent.health import Facts, Verdict, liveness, readiness
from pausewatch.agent.pages import Sources, application, serve
from pausewatch.agent.parts import Parts
from pausewatch.agent.pod_watch import PodWatch
from pausewatch.agent.pods import ApiPods
from pausewatch.agent.scan_loop import ScanLoop
from pausewatch.agent.threads import ask_loop
from pausewatch.agent.troubles import EVENTS, REPORT, SOURCES, STORED, Troubles, of_snapshot
from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.client import REQUEST_SECONDS, ApiClient
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.event_poster import EventPoster
from pausewatch.cluster.pods import get_pod, list_pods
from pausewatch.cluster.report_writer import ReportWriter
from pausewatch.cluster.reports import NodeReports
from pausewatch.cluster.waiting_pods import ask_why_waiting
from pausewatch.cluster.write_schedule import Pace
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.pod import Pod, WaitingPod
from pausewatch.model.settings import Settings, parse_listen_address
from pausewatch.scan import Look, look
from pausewatch.sinks import events
from pausewatch.sinks import report as report_object
from pausewatch.sinks.exposed import AgentHealth, Exposed
from pausewatch.sinks.metrics import Metrics
from pausewatch.sources.collector import Collector
from pausewatch.sources.procfs.boot import uptime_seconds
from pausewatch.version import program_version

API_START_SECONDS = 10.0
"""How long the first look waits for the stored report and this node's pods. Without them it looks all the same."""

ENDING_SECONDS = 2.0
"""How long the end waits for a scan and for kopf; the pages are given half a second."""

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Agent:
    """One node's agent; ``run`` is its whole life."""

    def __init__(self, settings: Settings, place: ConnectionPlace) -> None:
        """Put the parts together; nothing is read or opened yet but the collector's own memory.

        Args:
            settings: In force; without a node name the machine's host name is taken.
            place: Where the connection to the API server is described.
        """
        self._settings = replace(settings, node_name=settings.node_name or socket.gethostname())
        self._place = place
        node_name = self._settings.node_name
        self._api = ApiClient(place)
        self._writer = ReportWriter(
            NodeReports(api=self._api, node_name=node_name),
            Pace(
                interval_seconds=settings.report_interval_seconds, heartbeat_seconds=settings.report_heartbeat_seconds
            ),
            carry=earlier.with_transition_times,
            tell=self._tell_of_report,
        )
        self._poster = EventPoster(self._api, node_name, lambda now: self._troubles.take({EVENTS: now}))
        self._watch = PodWatch(node_name, place, self._writer.was_seen, self._writer.may_have_missed)
        waiting = WaitingPods(self._ask_why_waiting, settings.scan_period_seconds)
        self._collector = Collector(self._settings, ApiPods(self._watch, self._list_pods, self._get_pod, waiting))
        self._scans = ScanLoop(
            lambda history: look(self._collector, history, self._settings),
            period_seconds=settings.scan_period_seconds,
            second_look_seconds=settings.look_interval_seconds,
            before=self._remember,
            after=self._after_look,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parts = Parts()
        self._began = time.monotonic()
        self._settling_seconds = restart.settling_seconds(self._settings)
        self._inherited: Mapping[str, datetime] | None = None
        self._told: events.Known = {}
        self._troubles = Troubles()
        self._metrics = Metrics(self._exposed)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        Raises:
            OSError: The pages can not be served at the address in the settings.
        """
        loop = asyncio.get_running_loop()
        self._loop = loop
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        before, now = startup.allow_open_files()
        logger.info("pausewatch %s starts on node %s", program_version(), self._settings.node_name)
        if now < startup.ENOUGH_OPEN_FILES:
            logger.info("at most %d open files (was %d): a node with more processes is read more slowly", now, before)
        host, port = parse_listen_address(self._settings.listen_address) or ("", 0)
        pages = application(Sources(metrics=self._metrics.render, liveness=self._liveness, readiness=self._readiness))
        served = await serve(pages, host, port)
        logger.info("pages: http://%s:%d/metrics, /healthz, /readyz", host or "*", served.port)
        self._scans.history = restart.beginning(uptime_seconds(), self._settling_seconds)
        self._parts.start("report", self._writer.run())
        self._parts.start("watch", self._watch.run())
        self._parts.start("scan", self._scan())
        if self._settings.events:
            self._parts.start("events", self._poster.run())
        await stopped.wait()
        logger.info("ending")
        await self._end()
        await served.cleanup()

    async def _scan(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(API_START_SECONDS):
                await self._writer.was_read.wait()
                await self._watch.was_complete.wait()
        await self._scans.run()

    async def _end(self) -> None:
        self._watch.stop()
        await self._parts.end(ENDING_SECONDS)
        await self._api.close()

    def _remember(self, history: History) -> History:
        """Add what the stored report remembers, once it could be read."""
        if self._inherited is not None or not self._writer.was_read.is_set():
            return history
        self._inherited = earlier.first_seen(self._writer.stored)
        self._told = earlier.told(self._writer.stored)
        return restart.restored(history, self._inherited)

    def _after_look(self, found: Look) -> None:
        looks = self._scans.iterations.looks
        if looks == 1:
            settings = {one.name: getattr(self._settings, one.name) for one in fields(self._settings)}
            logger.info("%s", startup.start_text(settings | {"api_server": self._place}, found.snapshot.access))
        missing = of_snapshot(found.snapshot)
        # The pods of a watch that fails are still those that were seen last, and may be out of date.
        pods = missing["pods"] or self._watch.trouble
        # Of a report that is not there nothing is known, least of all that it is as it should be again.
        stored = {STORED: self._writer.remark} if self._writer.stored is not None else {}
        self._troubles.take({**missing, "pods": pods, **stored})
        if self._writer.stored is not None and self._writer.trouble is None:
            self._watch.reports_are_served()
        self._watch.restart_if_silent(time.monotonic())
        settled = time.monotonic() - self._began >= self._settling_seconds
        ids = {finding.id for finding in found.report.findings}
        # Another agent of this node may run for longer than this one, and know more: during a rollout, for one.
        others = earlier.first_seen({"status": self._writer.others})
        known = None if self._inherited is None else {*self._inherited, *others}
        if restart.may_be_stored(ids, known, looks, settled=settled):
            renewal = self._settings.renewal_seconds
            self._writer.offer(report_object.render(found.report, heartbeat_seconds=renewal))
        if self._settings.events and self._inherited is not None:
            news, self._told = events.news(self._told, found.report, found.snapshot.pods, settled=settled)
            self._poster.offer(news)

    def _tell_of_report(self, now: Unavailable | None) -> None:
        self._troubles.take({REPORT: now})

    def _list_pods(self) -> tuple[Pod, ...]:
        return self._ask(list_pods(self._api, self._settings.node_name))

    def _get_pod(self, namespace: str, name: str) -> Pod | None:
        return self._ask(get_pod(self._api, namespace, name))

    def _ask_why_waiting(self, pod: Pod) -> WaitingPod | None:
        return self._ask(ask_why_waiting(self._api, pod))

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            question.close()
            raise TimeoutError("the agent has not started")
        return ask_loop(self._loop, question, REQUEST_SECONDS + 1)

    def _facts(self) -> Facts:
        return Facts(
            iterations=self._scans.iterations,
            period_seconds=self._settings.scan_period_seconds,
            runtime_timeout_seconds=self._settings.runtime_timeout_seconds,
            ended_parts=self._parts.ended,
            troubles=self._troubles.now,
        )

    def _liveness(self) -> Verdict:
        return liveness(self._facts(), time.monotonic())

    def _readiness(self) -> Verdict:
        return readiness(self._facts(), time.monotonic())

    def _exposed(self) -> Exposed:
        iterations = self._scans.iterations
        health = AgentHealth(
            version=program_version(),
            scan_period_seconds=self._settings.scan_period_seconds,
            scan_duration_seconds=iterations.duration_seconds,
            scans=iterations.looks,
            scan_crashes=iterations.crashes,
            last_success_at=iterations.last_success_at,
            sources_up={name: self._scans.last is not None and self._troubles.now[name] is None for name in SOURCES},
            source_errors={name: self._troubles.counts[name] for name in SOURCES},
            report_writes=self._writer.writes,
            report_write_errors=self._writer.errors,
            events_posted=self._poster.posted,
            events_dropped=self._poster.dropped,
        )
        return Exposed(health=health, report=self._scans.last.report if self._scans.last else None)
