"""The declaration of a check, and the walk of this folder that finds them.

Everything that depends on a check is derived from its declaration: settings, tables in the documentation, the
command line, alerts. Adding one means adding its file and its page here, nothing else.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pausewatch import checks
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Observation, Severity
from pausewatch.model.view import NodeView

Thresholds = Mapping[str, float]
"""The values in force, by threshold name."""

Run = Callable[[NodeView, Thresholds], tuple[Observation, ...] | Unavailable]
"""Judges one node. Unavailable means that it could not judge anything (SKIP); an empty tuple, that all is well."""


class Stability(StrEnum):
    """Whether the id, reasons and thresholds of a check may still change without notice."""

    STABLE = "stable"
    PREVIEW = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that a check can find. The name is the reason of Events and the suffix of the alert as well."""

    name: str
    severities: tuple[Severity, ...]
    """Worst first."""

    meaning: str
    """One line, for tables and alerts."""

    alert_delay_seconds: int | None = None
    """How long its alert waits after the check has told it, where the usual time of its severity is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A bound that users may move."""

    name: str
    """snake_case, with its unit where it has one."""

    unit: str
    default: float
    minimum: float
    why: str
    """Why this default, and what a lower or higher one costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How long an observation must last before it is reported."""

    looks: int
    """Consecutive scans."""

    seconds_threshold: str = ""
    """The threshold with the number of seconds that it must last as well, by the boot clock, since the first of them;
    empty: none."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check."""

    id: str
    """Names the problem observed, in kebab-case."""

    title: str
    reasons: tuple[Reason, ...]
    needs: tuple[str, ...]
    """Sections of the Snapshot; the check is skipped if one is unavailable, so ``run`` never tests for that."""

    thresholds: tuple[Threshold, ...] = ()
    persistence: Persistence
    since: str
    """The version that brought it."""

    stability: Stability
    run: Run

    def persistence_seconds(self, thresholds: Thresholds) -> float:
        """Return how long an observation must last under these thresholds."""
        return thresholds[self.persistence.seconds_threshold] if self.persistence.seconds_threshold else 0

    def reason(self, name: str) -> Reason:
        """Return a declared reason.

        Raises:
            KeyError: The check does not declare it.
        """
        return {reason.name: reason for reason in self.reasons}[name]

    @property
    def page(self) -> str:
        """The file name of its page in this folder."""
        return self.id.replace("-", "_") + ".md"


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check of this folder, by id; the folder is listed once, for it is part of the program."""
    names = (module.name for module in pkgutil.iter_modules(checks.__path__) if not module.name.startswith("_"))
    found = (importlib.import_module(f"{checks.__name__}.{name}").CHECK for name in names)
    return tuple(sorted(found, key=lambda check: check.id))


def thresholds_of(check: Check, configured: Mapping[str, Mapping[str, float]]) -> Thresholds:
    """Return the values in force: the configured ones over the defaults."""
    return {one.name: one.default for one in check.thresholds} | dict(configured.get(check.id, {}))
