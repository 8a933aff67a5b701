"""One case of the fault matrix: a fault that was made appears as exactly one finding, is healed, and clears."""

import time
from collections.abc import Collection
from types import TracebackType
from typing import Self

from integration.support.observer import Observer, Thresholds
from integration.support.program import Program
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until
from pausewatch.checks._check import all_checks, thresholds_of
from pausewatch.model.report import Finding, RunOn

#: Between two looks; a real agent looks every 30 s, and nothing here depends on it.
BETWEEN_LOOKS_SECONDS = 0.2

#: Beyond what the check declares: reads, and a machine that does other work.
MARGIN_SECONDS = 15.0


class FaultCase:
    """Watches one lab for one check. Use it as a context manager; make the fault inside.

    Attributes:
        lines: What happened, for the line of the matrix.
    """

    def __init__(self, lab: RuntimeLab, check: str, thresholds: Thresholds | None = None) -> None:
        """Prepare.

        Args:
            lab: Whose node.
            check: The id of the check that has to see the fault.
            thresholds: Those that are not the default, by check and name; told at the end of the run.
        """
        self._check = next(one for one in all_checks() if one.id == check)
        self._thresholds = thresholds or {}
        # A fault of the sandbox image is seen in the next look, not in five minutes.
        self._observer = Observer(lab, thresholds=self._thresholds, image_period_seconds=0)
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        self._observer.__enter__()
        assert self._observer.reported() == [], "the node is not healthy before the fault"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._observer.__exit__(kind, error, trace)

    @property
    def observer(self) -> Observer:
        """What looks at the node."""
        return self._observer

    def found(self, also: Collection[str] = ()) -> Finding:
        """Wait until the check has a finding, and return it.

        Args:
            also: Other checks that rightly see the same fault from their side.

        Raises:
            AssertionError: The check has two findings, or another check found something.
            WaitTimeoutError: It was not found as soon as the check declares.
        """
        began = time.monotonic()
        what = f"{self._check.id} to be found"
        findings = wait_until(what, self._of_this_check, self._lasting_seconds() + MARGIN_SECONDS)
        others = [one for one in findings if one.check != self._check.id and one.check not in also]
        assert others == [], f"other checks found something as well: {others}"
        (finding,) = [one for one in findings if one.check == self._check.id]
        self.lines.append(f"{finding.reason} {finding.subject} after {time.monotonic() - began:.1f} s")
        return finding

    def cleared(self) -> None:
        """Wait until nothing is found any more; call it when the fault is healed.

        Raises:
            WaitTimeoutError: Something stayed.
        """
        began = time.monotonic()
        wait_until(f"{self._check.id} to clear", lambda: not self._look(), MARGIN_SECONDS)
        self.lines.append(f"clear after {time.monotonic() - began:.1f} s")

    def line(self) -> str:
        """Return what happened, and which thresholds were not the default."""
        moved = [f"{name}={value:g}" for values in self._thresholds.values() for name, value in values.items()]
        return "; ".join((*self.lines, *([f"with {', '.join(moved)}"] if moved else [])))

    def _of_this_check(self) -> list[Finding]:
        findings = self._look()
        return findings if any(one.check == self._check.id for one in findings) else []

    def _look(self) -> list[Finding]:
        time.sleep(BETWEEN_LOOKS_SECONDS)
        found = self._observer.look()
        return [one for one in self._observer.about_this_lab(found) if self._counts(one)]

    def _counts(self, finding: Finding) -> bool:
        # Info findings of other checks ask for nothing and may come and go.
        return finding.check == self._check.id or finding.severity.rank < 2

    def _lasting_seconds(self) -> float:
        in_force = thresholds_of(self._check, self._thresholds)
        return sum(in_force[one.name] for one in self._check.thresholds if one.unit == "seconds")


def on_the_node(finding: Finding) -> list[str]:
    """Return the commands of a finding that are for the node, in their order."""
    return [one.command for one in finding.next_commands if one.run_on is RunOn.NODE]


def all_commands(finding: Finding) -> list[str]:
    """Return the commands of a finding in their order, wherever they are to be typed."""
    return [one.command for one in finding.next_commands]


def type_on_the_node(program: Program, finding: Finding, count: int | None = None) -> list[str]:
    """Type the commands of a finding that are for the node, and return what each prints; each must end with 0.

    Args:
        program: Types them on the lab's node.
        finding: Whose commands.
        count: How many of them, from the least destructive one on; None: all.
    """
    return [program.shell(command) for command in on_the_node(finding)[:count]]
