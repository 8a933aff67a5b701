"""Carries a plan out on a node with its agent, and keeps the books."""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from e2e.soak.kind import Kind
from e2e.soak.ledger import Case, Ledger
from e2e.soak.outages import Outages
from e2e.soak.plan import Churn, Heal, Inject, Lose, Outage, Round, Step, Wait
from e2e.soak.scene import POD_SECONDS, Scene, delete_pods, lasting, ready_pods
from e2e.soak.watcher import Watcher
from e2e.support.agent import Agent
from e2e.support.node_report import Report, condition, polled_report
from e2e.support.told import BUSY
from lab.pods import Pod, RunningPod
from lab.shapes.nested_node import NestedNode

GUESTS = 2
RECOVERY_SECONDS = 120.0
"""The longest wait of a watch is 32 s (docs/reliability.md); an agent on a busy machine needs more for what follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A fault that is there, and how it is healed: by closing it."""

    case: Case
    healing: ExitStack


class Soak:
    """One soak of one node. Use it as a context manager: what is broken at its end is healed."""

    def __init__(self, node: NestedNode, agent: Agent, watcher: Watcher, ledger: Ledger, outages: Outages) -> None:
        """Prepare."""
        self._node = node
        self._agent = agent
        self._watcher = watcher
        self._ledger = ledger
        self._outages = outages
        self._present: dict[int, Present] = {}
        self._pods: dict[str, RunningPod] = {}
        self._guests: tuple[str, ...] = ()
        self._numbers = itertools.count(1)
        self._attended = True
        self._told = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as healing:
            if not self._node.kubelet_runs():
                healing.callback(self._node.start_kubelet)
            for one in self._present.values():
                healing.push(one.healing)

    def run(self, rounds: Iterator[Round], minutes: float, least_faults: int) -> None:
        """Have one round after the other, until there were enough faults and the time is over.

        What is told wrongly or late is taken down, and all goes on.
        """
        for number, one in enumerate(rounds, 1):
            if time.monotonic() - self._began > 60 * minutes and len(self._ledger.cases) >= least_faults:
                return
            self._tell(f"round {number}: {', '.join(step.kind.name for step in one.injections)}")
            names = self._prepare(one)
            self._do(one.attended)
            self._settle()
            self._unattended(one.unattended)
            delete_pods(self._node, *names)

    def _prepare(self, one: Round) -> list[str]:
        """Run the pods of a round's faults, which are healthy so far."""
        names = [step.kind.pod_name(step.number, index) for step in one.injections for index in range(step.kind.pods)]
        self._node.apply(*(lasting(self._node, Pod(name)) for name in names))
        self._pods = {name: self._node.wait_for_pod(name, limit_seconds=POD_SECONDS) for name in names}
        return names

    def _unattended(self, steps: Sequence[Step]) -> None:
        self._node.stop_kubelet()
        self._attended = False
        self._do(steps)
        self._node.start_kubelet()
        self._attended = True
        self._node.await_node()

    def _do(self, steps: Sequence[Step]) -> None:
        """Do one step after the other; in the end nothing is wrong, and the stored report says so."""
        for step in steps:
            self._tell_problems()
            match step:
                case Inject(number=number, kind=kind):
                    self._inject(number, kind)
                case Heal(number=number):
                    self._heal(number)
                case Churn(force=force):
                    self._let_pods_come_and_go(force=force)
                case Wait(scans=scans):
                    self._agent.await_scans(scans)
                case Lose():
                    self._lose(step)
        self._await_cleared()
        self._tell_problems()
        self._await_report(
            "that is healthy", lambda report: not told_in(report) and condition(report, "Healthy") == "True"
        )

    def _inject(self, number: int, kind: Kind) -> None:
        pods = tuple(self._pods[kind.pod_name(number, index)] for index in range(kind.pods))
        scene = Scene(node=self._node, agent=self._agent, name=kind.pod_name(number), pods=pods)
        with self._without("its runtime") if kind.restarts_runtime else nullcontext():
            case, healing = self._ledger.open(number, kind), ExitStack()
            self._present[number] = Present(case=case, healing=healing)
            healing.enter_context(kind.make(scene))
            case.there_at = self._agent.scans()

    def _heal(self, number: int) -> None:
        """Heal a fault that is told everywhere."""
        case = self._present[number].case
        self._await_told(case)
        finding = case.kind.finding(number)
        self._await_report(f"of {finding}", lambda report: (finding.reason, finding.pod) in told_in(report))
        with self._without("its runtime", another_one=True) if case.kind.restarts_runtime else nullcontext():
            case.healing = True
            self._present.pop(number).healing.close()
        case.healed_at = self._agent.scans()

    def _lose(self, step: Lose) -> None:
        """Have an outage for some scans."""
        self._tell(f"{step.outage.value} for {step.scans} scans, with {len(self._present)} faults")
        with (
            self._without(step.outage.value, another_one=step.outage is Outage.RUNTIME_RESTARTS),
            self._outages.during(step.outage),
        ):
            self._agent.await_scans(step.scans)
        self._ledger.outages[step.outage.value] += 1

    @contextmanager
    def _without(self, what: str, *, another_one: bool = False) -> Iterator[None]:
        """Within this context checks may be skipped; nothing is in the making, and what is told stays so.

        It ends when the agent has all it needs again.

        Args:
            what: What it lacks.
            another_one: Whether the runtime is another one afterwards, which tells its sandbox image by a sandbox.
        """
        for one in self._present.values():
            self._await_told(one.case)
        self._await_cleared()
        if self._attended:
            self._settle()
        self._ledger.outage = what
        yield
        with self._another_sandbox() if another_one else nullcontext():
            scans = self._agent.scans()
            self._wait("the agent to have all it needs", lambda: self._is_complete(scans), RECOVERY_SECONDS)
            self._ledger.outage = ""

    def _another_sandbox(self) -> AbstractContextManager[object]:
        """Return a context in which there is one more pod."""
        pod = Pod(f"another-{next(self._numbers)}")
        scene = Scene(node=self._node, agent=self._agent, name=pod.name, pods=())
        return scene.running(pod) if self._attended else scene.beside_the_kubelet(pod)

    def _is_complete(self, since_scan: int) -> bool:
        """Whether a scan that began after another one lacks nothing, and the agent neither."""
        return self._watcher.scan > since_scan + 1 and not self._watcher.skipped and not self._agent.troubles()

    def _let_pods_come_and_go(self, *, force: bool) -> None:
        if not self._attended:
            with self._another_sandbox():
                return
        came = tuple(f"guest-{next(self._numbers)}" for _ in range(GUESTS))
        self._node.apply(*(lasting(self._node, Pod(name)) for name in came))
        if self._guests:
            delete_pods(self._node, *self._guests, force=force)
        self._guests = came

    def _settle(self) -> None:
        """Wait until the kubelet has nothing to do: work left half done would be a fault of its own."""
        self._wait("all pods to be up or gone", self._is_settled, POD_SECONDS)

    def _is_settled(self) -> bool:
        broken = {one.case.kind.pod_name(number) for number, one in self._present.items()}
        text = self._node.get(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{self._node.node_name}")
        pods = [one for one in json.loads(text)["items"] if one["metadata"]["name"] not in broken] if text else []
        up = {one["metadata"]["name"] for one in pods if is_up(one)}
        return bool(text) and len(up) == len(pods) and ready_pods(self._node) - broken == up

    def _await_told(self, case: Case) -> None:
        limit_seconds = BUSY * self._ledger.found_within_scans(case.kind) * self._agent.pace.scan_period_seconds
        self._wait(f"{case.kind.name} {case.number} to be told", lambda: case.told_at is not None, limit_seconds)

    def _await_cleared(self) -> None:
        healed = [one for one in self._ledger.cases if one.healed_at is not None]
        limit_seconds = BUSY * self._ledger.cleared_within_scans() * self._agent.pace.scan_period_seconds
        what = "what was healed to be told no more"
        self._wait(what, lambda: all(one.cleared_at is not None for one in healed), limit_seconds)

    def _await_report(self, what: str, is_right: Callable[[Report], bool]) -> None:
        def probe() -> bool:
            report = polled_report(self._node)
            return report is not None and "status" in report and is_right(report)

        self._wait(f"a stored report {what}", probe, RECOVERY_SECONDS)

    def _wait(self, what: str, probe: Callable[[], object], limit_seconds: float) -> None:
        def unless_wrong() -> object:
            self._watcher.check()
            return probe()

        self._agent.wait(what, unless_wrong, limit_seconds)

    def _tell_problems(self) -> None:
        new = self._ledger.problems[self._told :]
        self._told += len(new)
        for problem in new:
            self._tell(f"WRONG: {problem}")
        if new:
            report = polled_report(self._node)
            found = report["status"]["findings"] if report else []
            self._tell(f"the stored report has {[(one['id'], one['message'], one['evidence']) for one in found]}")

    def _tell(self, what: str) -> None:
        seconds = time.monotonic() - self._began
        print(f"soak: {seconds:.0f} s, scan {self._watcher.scan}, {len(self._ledger.cases)} faults: {what}", flush=True)  # noqa: T201


def told_in(report: Report) -> list[tuple[str, str]]:
    """Return reason and pod of a stored report's findings."""
    return [(one["reason"], one.get("pod", {}).get("name", "")) for one in report["status"]["findings"]]


def is_up(pod: Report) -> bool:
    """Whether a pod is ready, and to stay."""
    ready = [one["status"] for one in pod["status"].get("conditions", []) if one["type"] == "Ready"]
    return ready == ["True"] and "deletionTimestamp" not in pod["metadata"]
