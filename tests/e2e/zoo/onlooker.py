"""Who looks at the zoo: scan after scan without a pause, each judged twice, and nothing legal may be called a fault."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType

from integration.support.observer import Observer
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until
from pausewatch.checks._check import Check, Persistence, all_checks, thresholds_of
from pausewatch.evaluate import candidates
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Finding, Outcome, Severity
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.scan import Look, judge
from pausewatch.sources.collector import Collector
from pausewatch.sources.pods import PodsSource
from support.background import Background

LASTING_SECONDS = 15.0
"""What the time is shortened to for which an observation must last, so that it passes many times in the zoo."""

AGE_SECONDS = 60.0
"""The same for other bounds, such as the age of a thing: a busy node may take half a minute to make a sandbox."""

WINDOWS = ("window_seconds",)
"""Bounds on time in which things are counted: a shorter one would see less."""

MOST_KEPT = 100


def shortened(checks: Iterable[Check]) -> Mapping[str, Mapping[str, float]]:
    """Return thresholds with shorter bounds on time."""
    return {
        check.id: {
            one.name: max(
                one.minimum,
                min(one.default, LASTING_SECONDS if one.name == check.persistence.seconds_threshold else AGE_SECONDS),
            )
            for one in check.thresholds
            if one.unit == "seconds" and one.name not in WINDOWS
        }
        for check in checks
    }


def at_once(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks, reporting whatever they see for a moment."""
    return tuple(replace(check, persistence=Persistence(looks=1, why="the zoo")) for check in checks)


@dataclass(slots=True)
class Way:
    """One way of judging, with its own memory."""

    name: str
    checks: Sequence[Check]
    settings: Settings
    history: History = field(default_factory=History)
    canary_at: int | None = None
    """The scan in which the canary was found first."""


class Onlooker(Background):
    """Scans a node in a thread of its own. Use it as a context manager.

    Attributes:
        scans: How many were made.
        sandbox_ids: Of all sandboxes that any scan saw.
        false_alarms: What was found that asks for something, by way and finding id, with the number of the scan.
        missed: Scans that did not find the canary after it was found first.
        skips: How often a check could not be judged, by its id and the reason.
        pause_seconds: Between two scans.
    """

    def __init__(self, lab: RuntimeLab, pods: PodsSource, node_name: str, canary: str) -> None:
        """Prepare.

        Args:
            lab: Whose node.
            pods: Answers what the API server knows.
            node_name: As the API server calls it.
            canary: The name of the pod that is broken all the while.
        """
        checks = all_checks()
        settings = Settings(node_name=node_name, runtime_endpoint=lab.endpoint, runtime_timeout_seconds=5.0)
        self._observer = Observer(lab)
        self._collector = Collector(settings, pods)
        self._canary = canary
        self._ways = (
            Way("lasting", checks, replace(settings, thresholds=shortened(checks))),
            Way("at once", at_once(checks), settings),
        )
        self._began = time.monotonic()
        super().__init__("onlooker", end_seconds=60)
        self.snapshot: Snapshot | None = None
        self.scans = 0
        self.pause_seconds = 0.0
        self.sandbox_ids: set[str] = set()
        self.false_alarms: dict[tuple[str, str], tuple[int, Finding]] = {}
        self.missed: list[tuple[str, int]] = []
        self.skips: Counter[tuple[str, str]] = Counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._collector.close()
        self._observer.__exit__(None, None, None)
        # Shown where the test fails, whatever else it fails of.
        self.tell(f"the end; skipped: {dict(self.skips)}")
        print(self.told(), flush=True)  # noqa: T201

    @property
    def longest_seconds(self) -> float:
        """How long an observation must last at most, as shortened."""
        lasting = self._ways[0]
        return max(
            check.persistence_seconds(thresholds_of(check, lasting.settings.thresholds)) for check in lasting.checks
        )

    def await_scans(self, count: int) -> Snapshot:
        """Wait until so many more scans have begun and ended, and return the last Snapshot."""
        wanted = self.scans + count + 1

        def looked() -> Snapshot | None:
            self.check()
            return self.snapshot if self.scans >= wanted else None

        return wait_until(f"{count} more scans", looked, 300)

    def await_canary(self) -> None:
        """Wait until the canary is found both ways.

        Raises:
            WaitTimeoutError: It was not within 30 s.
        """

        def found() -> bool:
            self.check()
            return all(way.canary_at is not None for way in self._ways)

        wait_until("the canary to be found", found, 30)

    def told(self) -> str:
        """Return every false alarm in full."""
        return "\n".join(
            f"scan {scan}, {way}: {finding.severity} {finding.id}: {finding.message}"
            + "".join(f"\n    {one.name}: {one.value}" for one in finding.evidence)
            for (way, _), (scan, finding) in self.false_alarms.items()
        )

    def tell(self, what: str) -> None:
        """Print what was reached, and how much was seen until then."""
        seconds = time.monotonic() - self._began
        seen = f"{self.scans} scans of {len(self.sandbox_ids)} sandboxes, {len(self.false_alarms)} false alarms"
        seen += f", {len(self.missed)} scans without the canary"
        print(f"zoo: {what} after {seconds:.0f} s: {seen}", flush=True)  # noqa: T201

    def _work(self) -> None:
        while not self._stopping.wait(self.pause_seconds):
            self._look()

    def _look(self) -> None:
        snapshot = self._collector.collect()
        first = [judge(snapshot, way.history, way.settings, way.checks) for way in self._ways]
        suspects = {owner for look in first for owner in candidates(look.report, look.history)}
        confirmed = self._collector.confirm(snapshot, suspects)
        for way in self._ways:
            look = judge(confirmed, way.history, way.settings, way.checks)
            way.history = look.history
            self._note(way, look)
        if not isinstance(snapshot.sandboxes, Unavailable):
            self.sandbox_ids.update(sandbox.id for sandbox in snapshot.sandboxes)
        self.snapshot = snapshot
        self.scans += 1

    def _note(self, way: Way, look: Look) -> None:
        results = look.report.results
        broken = [result for result in results if result.outcome is Outcome.ERROR]
        assert not broken, f"checks broke: {broken}"
        self.skips.update((one.check, one.reason) for one in results if one.outcome is Outcome.SKIP)
        found = [one for one in self._observer.about_this_lab(look) if one.severity is not Severity.INFO]
        if any(one.subject.pod == self._canary for one in found):
            way.canary_at = self.scans if way.canary_at is None else way.canary_at
        elif way.canary_at is not None:
            self.missed.append((way.name, self.scans))
        for finding in found:
            if finding.subject.pod != self._canary and len(self.false_alarms) < MOST_KEPT:
                self.false_alarms.setdefault((way.name, finding.id), (self.scans, finding))
