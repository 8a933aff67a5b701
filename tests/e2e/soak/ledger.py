"""The books of a soak: in which scan each fault was made, told, healed and told no more, and what was told wrongly."""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from e2e.soak.kind import Kind, Told
from e2e.support.pace import Pace
from pausewatch.checks._check import all_checks
from pausewatch.evaluate import CLEAN_LOOKS_TO_CLEAR

ENDING = ("ContainerProcessGone", "PauseGone")
"""Reasons that are told as Info while they are young: a runtime out of breath hears late that a process ended."""

MOST_PROBLEMS = 200
"""What goes on being wrong is so in each scan."""

PERIODS = 2
"""Of the promise: a scan may have begun before the fault was made or healed, and the next one comes a period later."""


@dataclass(slots=True, kw_only=True)
class Case:
    """One fault; moments are numbers of scans, None while they have not come."""

    number: int
    kind: Kind
    there_at: int | None = None
    """The last scan that had ended when the fault was there."""

    told_at: int | None = None
    healing: bool = False
    healed_at: int | None = None
    cleared_at: int | None = None
    """The first scan that told nothing of it any more."""

    @property
    def found_in(self) -> int:
        """Scans until it was told; 0 if it was before all of it was done."""
        return max(0, (self.told_at or 0) - (self.there_at or 0))

    @property
    def cleared_in(self) -> int:
        """Scans until it was told no more."""
        return max(0, (self.cleared_at or 0) - (self.healed_at or 0))


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Holds each scan against the faults that are there.

    Attributes:
        pace: Of the agent.
        cases: All faults so far.
        problems: All that was wrong.
        outage: What the agent can not reach now, so that checks may be skipped; empty if there is nothing.
        outages: How many of each kind there were.
        scans: How many were looked at.
        unseen: The numbers of those that were not; what they told may have been in time.
        late: How often a pod that ends was told, as Info, to have lost a process of which its runtime did not know yet.
    """

    pace: Pace
    cases: list[Case] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    outage: str = ""
    outages: Counter[str] = field(default_factory=Counter)
    scans: int = 0
    unseen: list[int] = field(default_factory=list)
    late: int = 0

    def open(self, number: int, kind: Kind) -> Case:
        """Return the case of a fault that is about to be made."""
        case = Case(number=number, kind=kind)
        self.cases.append(case)
        return case

    def found_within_scans(self, kind: Kind) -> int:
        """Return how many scans may end before a fault is told: what its check declares, and two periods.

        Counted in scans, because a busy machine holds up the scans as well; one more may end before it is counted.
        """
        (check,) = [one for one in all_checks() if one.id == kind.check]
        if kind.ripe:
            return check.persistence.looks + PERIODS + 1
        seconds = self.pace.found_within_seconds(kind.check) + kind.later_seconds
        return math.ceil(seconds / self.pace.scan_period_seconds) + kind.later_scans + 1

    def cleared_within_scans(self) -> int:
        """Return how many scans may end before a healed fault is told no more: the clean ones, and two periods."""
        return CLEAN_LOOKS_TO_CLEAR + PERIODS

    def miss(self, scans: Iterable[int]) -> None:
        """Take down that nobody looked at these scans: who looks was held up, and not who scans."""
        self.unseen.extend(scans)

    def see(self, scan: int, told: Iterable[Told], *, skipped: int, broken: int, ending: Collection[str]) -> None:
        """Take down what one scan told.

        Args:
            scan: Its number.
            told: Its findings.
            skipped: How many checks were skipped.
            broken: How many checks broke.
            ending: The names of pods that are deleted, or gone from the API.
        """
        self.scans += 1
        findings, explained = set(told), set[Told]()
        for case in self.cases:
            if case.cleared_at is None:
                own = {one for one in findings if case.kind.explains(case.number, one)}
                self._follow(case, scan, own)
                explained |= own
        late = {one for one in findings - explained if _is_late(one, ending)}
        self.late += len(late)
        explained |= late
        self.problems += [f"scan {scan}: {one} is told, and nothing is wrong there" for one in findings - explained]
        if skipped and not self.outage:
            self.problems.append(f"scan {scan}: {skipped} checks were skipped, and nothing is out of reach")
        if broken:
            self.problems.append(f"scan {scan}: {broken} checks broke")
        del self.problems[MOST_PROBLEMS:]

    def _follow(self, case: Case, scan: int, own: set[Told]) -> None:
        name = f"{case.kind.name} {case.number}"
        is_told = case.kind.finding(case.number) in own
        if case.told_at is None:
            case.told_at = scan if is_told else None
            if is_told and case.there_at is not None:
                allowed = self.found_within_scans(case.kind) + self._unseen_after(case.there_at)
                if case.found_in > allowed:
                    self.problems.append(f"scan {scan}: {name} is told after {case.found_in} scans of {allowed}")
        elif not is_told and not case.healing:
            self.problems.append(f"scan {scan}: {name} is told no more, and is not healed")
        if case.healed_at is None or scan <= case.healed_at:
            return
        if not own:
            case.cleared_at = scan
        elif scan > case.healed_at + self.cleared_within_scans() + self._unseen_after(case.healed_at):
            self.problems.append(f"scan {scan}: {name} was healed after scan {case.healed_at}, and is told: {own}")

    def _unseen_after(self, scan: int) -> int:
        return sum(one > scan for one in self.unseen)


def _is_late(told: Told, ending: Collection[str]) -> bool:
    return told.severity == "Info" and told.reason in ENDING and told.pod in ending
