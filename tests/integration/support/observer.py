"""The product's core, kept running on one lab: look after look, each with the memory that the ones before left."""

import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from lab.processes import cgroup_paths
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until
from pausewatch.model.history import History
from pausewatch.model.report import Finding, Outcome, Severity
from pausewatch.model.settings import Settings
from pausewatch.scan import Look, look
from pausewatch.sources.collector import Collector
from pausewatch.sources.cri.sandbox_image import PERIOD_SECONDS
from pausewatch.sources.details import PATIENCE_SECONDS

#: Both look at the node alone; others may need an API server, and are skipped here.
NODE_CHECKS = ("namespace-not-shared", "zombie-buildup")

Thresholds = Mapping[str, Mapping[str, float]]


class Observer:
    """Looks at a lab's node. Use it as a context manager.

    Every look is held to what holds always: no check breaks, and no exception leaves the product.
    """

    def __init__(
        self,
        lab: RuntimeLab,
        *,
        timeout_seconds: float = 2.0,
        thresholds: Thresholds | None = None,
        image_period_seconds: float = PERIOD_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Prepare to look.

        Args:
            lab: Whose node.
            timeout_seconds: Of one call to the runtime.
            thresholds: By check and name; what is missing has its default.
            image_period_seconds: Between two times that the runtime is asked for the sandbox image.
            patience_seconds: How long one detail of the node may take to be read.
        """
        self._lab = lab
        self._settings = Settings(
            node_name="lab-node",
            runtime_endpoint=lab.endpoint,
            runtime_timeout_seconds=timeout_seconds,
            thresholds=thresholds or {},
        )
        self._collector = Collector(
            self._settings, image_period_seconds=image_period_seconds, patience_seconds=patience_seconds
        )
        self._history = History()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._collector.close()

    def look(self) -> Look:
        """Look once more."""
        found = look(self._collector, self._history, self._settings)
        self._history = found.history
        broken = [result for result in found.report.results if result.outcome is Outcome.ERROR]
        assert not broken, f"checks broke: {broken}"
        return found

    def findings(self, looks: int = 1) -> list[Finding]:
        """Look so many times more, and return what the last look found about this lab."""
        last = [self.look() for _ in range(looks)][-1]
        return self.about_this_lab(last)

    def look_until(self, what: str, condition: Callable[[Look], bool], limit_seconds: float) -> Look:
        """Look again and again until a look fulfils a condition, and return that.

        Raises:
            WaitTimeoutError: None did within the limit; names ``what``.
        """

        def probe() -> Look | None:
            found = self.look()
            return found if condition(found) else None

        return wait_until(what, probe, limit_seconds)

    def about_this_lab(self, found: Look) -> list[Finding]:
        """Return the findings of a look but those about the machine.

        The lab's node shares the machine's PID namespace, and the machine's PID 1 inherits shims that end. How soon
        it reaps them, and what else is dead on the machine, depends on the machine: no test is about it.
        """
        return [finding for finding in found.report.findings if not self._is_about_the_machine(finding)]

    def outcomes(self, found: Look) -> dict[str, Outcome]:
        """Return what became of the checks that need no API server, the machine's own findings left out of account."""
        failed = {finding.check for finding in self.about_this_lab(found)}
        return {
            result.check: Outcome.PASS
            if result.outcome is Outcome.FAIL and result.check not in failed
            else result.outcome
            for result in found.report.results
            if result.check in NODE_CHECKS
        }

    def reported(self) -> list[Finding]:
        """Look once more, and return what is found about this lab that asks for something: no Info."""
        return [one for one in self.about_this_lab(self.look()) if one.severity is not Severity.INFO]

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls the runtime was asked so far, by method of the CRI."""
        return dict(self._collector._cri.calls)

    def _is_about_the_machine(self, finding: Finding) -> bool:
        if not finding.subject.is_node or finding.check != "zombie-buildup":
            return False
        # The parent of most of them is told first.
        parent = next(one.value for one in finding.evidence if one.name == "parent")
        (pid,) = re.findall(r"^pid (\d+)", parent)
        return not any(path.startswith(f"{self._lab.cgroup.path}/") for path in cgroup_paths(int(pid)))
