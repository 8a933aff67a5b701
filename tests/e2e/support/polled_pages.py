"""The pages of an agent, asked for all the time while something is done to it."""

import math
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from e2e.support.agent import Agent, Page
from e2e.support.exposition import Exposition
from support.background import Background

PATHS = ("/metrics", "/healthz", "/readyz")
PAUSE_SECONDS = 0.05


@dataclass
class PolledPages(Background):
    """Asks for one page after the other in a thread of its own. Use it as a context manager.

    Attributes:
        agent: Whose pages.
        asked: How many answers there were.
        slowest_seconds: The longest that an answer took, by path, without what agent and test waited for a processor
            that others had; infinite if one did not come within 5 s.
        statuses: All of HTTP that were answered, by path.
        findings: All that the metrics ever told of any pod.
    """

    agent: Agent
    asked: int = 0
    slowest_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PATHS, 0.0))
    statuses: dict[str, set[int]] = field(default_factory=lambda: {path: set() for path in PATHS})
    findings: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__("polled-pages", end_seconds=30)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        print(f"{self.asked} pages; slowest, in seconds: {self.slowest_seconds}")  # noqa: T201  shown with a failure
        if error is None:
            self.check()

    def _work(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            for path in PATHS:
                self._take(path)

    def _take(self, path: str) -> None:
        before = self._run_delays()
        try:
            page: Page | None = self.agent.page(path)
        except OSError:
            page = None
        self.asked += 1
        starved = sum(delay - before.get(thread, 0) for thread, delay in self._run_delays().items())
        seconds = page.seconds - starved if page else math.inf
        self.slowest_seconds[path] = max(self.slowest_seconds[path], seconds)
        if page:
            self.statuses[path].add(page.status)
            if path == "/metrics" and page.status == 200:
                self.findings.update(Exposition(page.text).findings_about_pods())

    def _run_delays(self) -> dict[str, float]:
        """How long each of the agent's threads, and this one, was ever ready to run and did not, in seconds.

        The second number of /proc/PID/task/TID/schedstat (Linux: Documentation/scheduler/sched-stats.rst). A thread
        that waits for a runtime, or for another thread, is not ready to run.
        """
        agent = Path(f"/proc/{self.agent.process.pid}/task")
        found = {}
        for thread in (*agent.iterdir(), Path(f"/proc/self/task/{threading.get_native_id()}")):
            with suppress(FileNotFoundError, ProcessLookupError):  # that of a scan, which has just ended
                found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
        return found
