"""SIGTERM in every phase of the agent's life: it ends at once, in good order, and leaves a whole report."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.support import installation
from e2e.support.agent import END_SECONDS, Agent, running_agent
from e2e.support.node_report import Report, await_report, condition, is_healthy, read_report
from e2e.support.pace import DEFAULT, FAST, Pace
from e2e.support.wire import Wire, through
from e2e.support.workloads import delete
from lab import faults
from lab.pods import Container, Pod
from lab.processes import find_process
from lab.shapes.api_server_faults import unread_requests
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

HALF = 60
"""Zombies: fewer than what the tests' pace calls a fault; twice as many are one."""

BEATING = Pace(
    scan_period_seconds=1,
    look_interval_seconds=0.5,
    report_interval_seconds=1,
    report_heartbeat_seconds=2,
    thresholds=FAST.thresholds,
)
"""A report is written every other second, changed or not."""

HANGING_CALL = {"PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS": "60"}
"""A call to a runtime that hangs is under way for longer than the test."""

CALL_SECONDS = 3.0
"""No scan for so long, with one due each second: one hangs."""


@dataclass(frozen=True)
class Scene:
    """What a phase is made from."""

    cluster: Cluster
    kubeconfig: Path
    folder: Path
    stack: ExitStack

    def start(self, pace: Pace = FAST, *, wire: Wire | None = None, variables: dict[str, str] | None = None) -> Agent:
        """Start the agent, through a wire if there is one."""
        kubeconfig = through(wire, self.kubeconfig) if wire else self.kubeconfig
        running = running_agent(self.cluster, kubeconfig, self.folder / "agent.log", pace, variables or {})
        return self.stack.enter_context(running)

    def start_healthy(self, pace: Pace = FAST, *, variables: dict[str, str] | None = None) -> Agent:
        """Start the agent, and wait for its report."""
        agent = self.start(pace, variables=variables)
        await_report(self.cluster, agent, "that is healthy", is_healthy)
        return agent

    def await_unread(self, agent: Agent, count: int) -> None:
        """Wait until the agent has asked a paused API server for so many things at once."""
        what = f"{count} requests without an answer"
        agent.wait(what, lambda: unread_requests(self.cluster, agent.process.pid) >= count, 60)


Phase = Callable[[Scene], AbstractContextManager[Agent]]


@contextmanager
def before_the_api_server_is_reached(scene: Scene) -> Iterator[Agent]:
    """Nobody listens there: the first scan waits, and so do the attempts of everybody else."""
    with Wire(scene.cluster.places.certificates.server) as wire:
        wire.cut()
        agent = scene.start(wire=wire)
        agent.log_line("the report is not written", "Unreachable")
        assert agent.scans() == 0
        yield agent


@contextmanager
def while_the_api_server_is_silent(scene: Scene) -> Iterator[Agent]:
    """From the start: the first requests of writer and watch have no answer."""
    with paused_api_server(scene):
        agent = scene.start()
        scene.await_unread(agent, 2)
        yield agent


@contextmanager
def while_the_definition_is_missing(scene: Scene) -> Iterator[Agent]:
    """The report can not be written, and its watch finds no such kind."""
    installation.remove_crd(scene.cluster)
    try:
        agent = scene.start()
        agent.log_line("the report is not written", "CustomResourceDefinition")
        yield agent
    finally:
        installation.install_crd(scene.cluster)


@contextmanager
def during_the_first_scan(scene: Scene) -> Iterator[Agent]:
    """Whose first call to the runtime has no answer."""
    with faults.hanging_runtime(scene.cluster.runtime):
        agent = scene.start(variables=HANGING_CALL)
        await_hanging_call(agent)
        assert agent.scans() == 0
        yield agent


@contextmanager
def during_a_call_to_the_runtime(scene: Scene) -> Iterator[Agent]:
    """In a later scan, on a connection that worked."""
    agent = scene.start_healthy(variables=HANGING_CALL)
    with faults.hanging_runtime(scene.cluster.runtime):
        await_hanging_call(agent)
        yield agent


@contextmanager
def while_the_report_is_created(scene: Scene) -> Iterator[Agent]:
    """After the first scan, and before there is a status."""
    agent = scene.start(Pace(scan_period_seconds=1, look_interval_seconds=1, report_interval_seconds=1))
    agent.wait("the first scan", lambda: agent.scans() >= 1, 60)
    with paused_api_server(scene):
        scene.await_unread(agent, 1)
        yield agent


@contextmanager
def during_a_write_of_the_report(scene: Scene) -> Iterator[Agent]:
    """A heartbeat."""
    agent = scene.start_healthy(BEATING)
    with paused_api_server(scene):
        scene.await_unread(agent, 1)
        yield agent


@contextmanager
def during_the_post_of_an_event(scene: Scene) -> Iterator[Agent]:
    """Together with a write of the report: both tell of the same zombies."""
    children = Container(command=("misbehave", "children", str(HALF)))
    pod = scene.cluster.run(Pod("forgetful", containers=(children,)))
    parent = pod.pid()
    try:
        agent = scene.start_healthy()
        with paused_api_server(scene):
            faults.more_zombies(pod, 2 * HALF)
            scene.await_unread(agent, 2)
            yield agent
    finally:
        delete(scene.cluster, pod.pod.name, force=True)
        wait_until("its parent of zombies to end", lambda: find_process(parent) is None, 60)


@contextmanager
def after_the_api_server_went_away(scene: Scene) -> Iterator[Agent]:
    """Between two attempts of the watch and of the writer."""
    with Wire(scene.cluster.places.certificates.server) as wire:
        agent = scene.start(BEATING, wire=wire)
        await_report(scene.cluster, agent, "that is healthy", is_healthy)
        wire.cut()
        agent.wait("both troubles", lambda: {"pods", "report"} <= agent.troubles().keys(), 60)
        yield agent


@contextmanager
def between_two_scans(scene: Scene) -> Iterator[Agent]:
    """With half a minute from one to the next, as by default."""
    agent = scene.start_healthy(DEFAULT)
    agent.wait("the second scan", lambda: agent.scans() >= 2, 60)
    yield agent


PHASES: tuple[Phase, ...] = (
    before_the_api_server_is_reached,
    while_the_api_server_is_silent,
    while_the_definition_is_missing,
    during_the_first_scan,
    during_a_call_to_the_runtime,
    while_the_report_is_created,
    during_a_write_of_the_report,
    during_the_post_of_an_event,
    after_the_api_server_went_away,
    between_two_scans,
)


@pytest.fixture(scope="module")
def prepared_cluster(running_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with everything installed that the agent needs; each phase undoes what it did to it."""
    installation.install(running_cluster)
    # The watch knows all pods of a node with its first one; without any, an agent waits for ten seconds.
    running_cluster.run(Pod("stays"))
    yield running_cluster
    running_cluster.restore()


@pytest.fixture
def scene(prepared_cluster: Cluster, tmp_path: Path) -> Iterator[Scene]:
    """A cluster without reports."""
    prepared_cluster.kubectl("delete", "psr", "--all")
    with ExitStack() as stack:
        yield Scene(prepared_cluster, installation.agent_kubeconfig(prepared_cluster), tmp_path, stack)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)
def test_sigterm(scene: Scene, phase: Phase) -> None:
    """It ends within 5 s, without a trace of any thread in its log; the report is the old one or the new one."""
    with phase(scene) as agent:
        print(f"ended {agent.stop():.2f} s after SIGTERM")  # noqa: T201  for docs/reliability.md

    assert unruly(agent) == []
    report = read_report(scene.cluster)
    assert report is None or "status" not in report or is_whole(report), report


@pytest.mark.parametrize("words", [(), ("starts on node",), ("/metrics",)], ids=("loading", "starting", "serving"))
def test_sigterm_while_it_starts(scene: Scene, words: tuple[str, ...]) -> None:
    """Before it has a say in it, it ends by the signal; from its first line on as always."""
    agent = scene.start()
    if words:
        agent.log_line(*words)
    agent.process.send_signal(signal.SIGTERM)

    code = agent.process.wait(END_SECONDS)
    assert code == 0 if words else code in (0, -signal.SIGTERM)
    assert unruly(agent) == []


@contextmanager
def paused_api_server(scene: Scene) -> Iterator[None]:
    """While it is stopped, it accepts connections and answers nothing; then it has all that it was asked."""
    scene.cluster.pause_api_server()
    try:
        yield
    finally:
        scene.cluster.resume_api_server()
        wait_until("the API server to answer", lambda: scene.cluster.get("/readyz") is not None, 60)


def await_hanging_call(agent: Agent) -> None:
    """Wait until a scan is under way that does not end."""
    agent.wait("a scan that hangs", lambda: agent.readiness()["secondsSinceLastScan"] > CALL_SECONDS, 60)


def unruly(agent: Agent) -> list[str]:
    """What is in the log behind the line that says that the agent ends, but for what kopf was just about to say.

    Without such a line: what is in it and no line of a log.
    """
    lines = agent.log.splitlines()
    ends = next((number for number, line in enumerate(lines) if line.endswith(" INFO ending")), -1)
    return [line for line in lines[ends + 1 :] if not re.match(r"\S+ (INFO|WARNING|ERROR Request attempt) ", line)]


def is_whole(report: Report) -> bool:
    """Whether the parts of a status belong together: one scan's counts, findings and conditions."""
    status = report["status"]
    counts = status["summary"]
    told = sum(counts[severity] for severity in ("critical", "warning", "info"))
    is_bad = bool(counts["critical"] or counts["warning"])
    return (
        told == len(status["findings"]) + status["truncatedFindings"]
        and (condition(report, "Healthy") == "False") == is_bad
        and {one["type"] for one in status["conditions"]} == {"Healthy", "RuntimeReachable", "ScanComplete"}
        and status["reportTime"] < status["staleAfterTime"]
    )
