# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

"""A poster of Events on a bench: a server that takes them, and a clock that a test sets."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cluster.api_server import Answer, Asked, FakeApi, asking, status_object
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.event_poster import MOST_WAITING, EventPoster
from pausewatch.cluster.report_writer import Clock
from pausewatch.model.availability import Unavailable
from pausewatch.sinks.events import Change, News, Regarding
from support.parts import TAKEN_AT, WEB_UID

UNAVAILABLE: Answer = (503, status_object(503, "ServiceUnavailable"))
WEB = Regarding(kind="Pod", namespace="team-a", name="web-x", uid=WEB_UID)


def a_news(**changes: Any) -> News:
    """Return zombies found in ``team-a/web-x``."""
    found = News(
        finding_id="zombie-buildup/web-x/app/49b6b3a0c1d2",
        change=Change.FOUND,
        reason="ZombieBuildup",
        note="40+ zombies",
        regarding=WEB,
        at=TAKEN_AT,
    )
    return replace(found, **changes)


def about(number: int) -> News:
    """Return news of a pod of this number."""
    return a_news(regarding=replace(WEB, name=f"web-{number}", uid=f"uid-{number}"))


class Store(FakeApi):
    """An API server that takes Events; ``refuse`` may answer in its place."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.refuse: Callable[[Asked], Answer | None] = lambda _: None

    def methods(self) -> list[str]:
        """Return how it was asked so far."""
        return [asked.method for asked in self.asked]

    def _serve(self, asked: Asked) -> Answer:
        return self.refuse(asked) or ((201, asked.body) if asked.method == "POST" else (200, {}))


class Bench:
    """A poster with an API server, a clock that stands still, and what it told."""

    def __init__(self, store: Store, client: ApiClient) -> None:
        self.store = store
        self.seconds = 1000.0
        self.told: list[Unavailable | None] = []
        clock = Clock(monotonic=lambda: self.seconds, chance=lambda: 1)
        self.poster = EventPoster(client, "node-7", self._tell, clock)
        self.answered = asyncio.Event()

    def _tell(self, trouble: Unavailable | None) -> None:
        self.told.append(trouble)
        self.answered.set()

    async def settle(self) -> None:
        """Take steps until the next one has to wait."""
        for _ in range(2 * MOST_WAITING):
            if self.poster.wait_seconds() > 0:
                return
            await self.poster.step()
        raise AssertionError("the poster does not come to rest")

    def dropped(self) -> dict[str, int]:
        """Return what was dropped, where anything was."""
        return {reason: count for reason, count in self.poster.dropped.items() if count}


def on_bench(folder: Path, act: Callable[[Bench], Any]) -> Bench:
    """Run ``act`` with a poster."""

    async def run() -> Bench:
        store = Store()
        async with asking(store, folder) as client:
            bench = Bench(store, client)
            await act(bench)
            return bench

    return asyncio.run(run())


def answering(*answers: Answer) -> Callable[[Asked], Answer | None]:
    """Return a refusal that gives these answers, one each, and then none."""
    left = iter(answers)
    return lambda _: next(left, None)
