"""How fast the agent of a test works, and how soon it therefore has to find what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pausewatch.agent.waiting import FIRST_PERIODS, SCANS_BEFORE_ASKED
from pausewatch.checks import orphaned_sandbox
from pausewatch.checks._check import all_checks
from pausewatch.model.settings import Settings

Thresholds = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The settings of an agent that decide about time; what is not given has its default."""

    scan_period_seconds: float = Settings().scan_period_seconds
    look_interval_seconds: float = Settings().look_interval_seconds
    report_interval_seconds: float = Settings().report_interval_seconds
    report_heartbeat_seconds: float = Settings().report_heartbeat_seconds
    thresholds: Thresholds = field(default_factory=dict)
    """By check and name."""

    @property
    def overrides(self) -> Mapping[str, str]:
        """The environment variables that say so to the agent: one for each value that is not the default."""
        usual = Settings()
        names = ("scan_period_seconds", "look_interval_seconds", "report_interval_seconds", "report_heartbeat_seconds")
        scalars = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}
        thresholds = {
            f"{check}_{name}".replace("-", "_"): value
            for check, values in self.thresholds.items()
            for name, value in values.items()
        }
        return {f"PAUSEWATCH_{name.upper()}": f"{value:g}" for name, value in (scalars | thresholds).items()}

    def found_within_seconds(self, check_id: str) -> float:
        """Return how long a fault may be there before it is told everywhere: what its check declares, and two periods.

        A check declares a number of scans, seconds, and thresholds that are seconds; an orphan has to be missing for
        the grace period too, and the API server is asked about a pod without sandbox a few scans later. One of the two
        periods passes before the first scan that can see the fault.
        """
        (check,) = [one for one in all_checks() if one.id == check_id]
        given = self.thresholds.get(check_id, {})
        waits = [given.get(one.name, one.default) for one in check.thresholds if one.unit == "seconds"]
        grace = orphaned_sandbox.LEAST_GRACE_SECONDS if check is orphaned_sandbox.CHECK else 0
        asked = SCANS_BEFORE_ASKED + FIRST_PERIODS if "waiting_pods" in check.needs else 0
        scans = (asked + check.persistence.looks) * self.scan_period_seconds
        return sum(waits) + grace + scans + 2 * self.scan_period_seconds


DEFAULT = Pace()

FAST = Pace(
    scan_period_seconds=1,
    look_interval_seconds=0.5,
    report_interval_seconds=1,
    thresholds={"zombie-buildup": {"seen_for_seconds": 3, "zombies": 100}, "orphaned-sandbox": {"delay_seconds": 0}},
)
"""Everything that takes a minute takes seconds. The 30 s that any pod may take to end are no setting, and stay.

So many zombies are counted only because the lab's node shares the machine's PID namespace: what others have dead there,
such as a second lab, is a true finding about this node, and no test is about it.
"""
