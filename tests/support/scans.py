"""A node over several scans, and checks that see what a test tells them."""

from dataclasses import replace
from datetime import timedelta

from pausewatch.checks._check import Check, Persistence, Reason, Run, Stability, Threshold
from pausewatch.evaluate import evaluate
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import (
    Evidence,
    NextCommand,
    Observation,
    Outcome,
    Report,
    RunOn,
    Severity,
)
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.subject import Subject
from support.builders import a_snapshot
from support.parts import TAKEN_AT, UPTIME_SECONDS, WEB_APP_ID, a_subject

MISSING = Unavailable(reason="RuntimeHanging", detail="the runtime does not answer")


def an_observation(subject: Subject | None = None, severity: Severity = Severity.WARNING) -> Observation:
    """Return what a check might see."""
    return Observation(
        reason="Broken",
        severity=severity,
        subject=subject or a_subject(),
        message="team-a/web-x/app is broken",
        evidence=(Evidence(name="process", value="2311 app"),),
        next_commands=(NextCommand(run_on=RunOn.NODE, command="true"),),
        rests_on=(WEB_APP_ID,),
    )


def a_check(run: Run, looks: int = 1, seconds: float = 0) -> Check:
    """Return a check that is declared like a real one."""
    return Check(
        id="broken-thing",
        title="Something is broken",
        reasons=(Reason(name="Broken", severities=(Severity.WARNING,), meaning="it is broken"),),
        needs=("containers",),
        thresholds=(Threshold(name="lasting_seconds", unit="seconds", default=seconds, minimum=0, why="a test"),),
        persistence=Persistence(looks=looks, seconds_threshold="lasting_seconds", why="a test"),
        since="0.1.0",
        stability=Stability.STABLE,
        run=run,
    )


def seeing(*observations: Observation) -> Run:
    """Return a run that always sees the same."""
    return lambda _node, _thresholds: observations


class ScannedNode:
    """A node over several scans, ten seconds apart."""

    def __init__(self, looks: int = 1, seconds: float = 0, settings: Settings | None = None) -> None:
        self.history = History()
        self.settings = settings or Settings()
        self.looks = looks
        self.seconds = seconds
        self.scans = 0

    def scan(self, *observations: Observation, snapshot: Snapshot | None = None, run: Run | None = None) -> Report:
        """Scan once; the check sees these observations."""
        later = timedelta(seconds=10 * self.scans)
        taken = replace(
            snapshot or a_snapshot(),
            taken_at=TAKEN_AT + later,
            uptime_seconds=UPTIME_SECONDS + later.total_seconds(),
        )
        self.scans += 1
        check = a_check(run or seeing(*observations), self.looks, self.seconds)
        report, self.history = evaluate(taken, self.history, self.settings, (check,))
        return report


def outcomes(report: Report) -> dict[str, Outcome]:
    """Return the outcome of every check."""
    return {result.check: result.outcome for result in report.results}
