"""kopf started again and again: what is known meanwhile, and how soon the next one begins."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.api_server import Answer, Asked, FakeApi, serving
from pausewatch.agent.kopf_session import LONGEST_SILENCE_SECONDS, NOT_LISTED
from pausewatch.agent.pod_watch import LONGEST_RESTART_SECONDS, PodWatch, failures_after, restart_seconds
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.pods import PODS_PATH
from pausewatch.model.availability import Unavailable

NOWHERE = ConnectionPlace(kubeconfig=None)
KINDS = [
    {"name": name, "kind": kind, "singularName": "", "namespaced": name == "pods", "verbs": ["list", "watch"]}
    for name, kind in (("pods", "Pod"), ("namespaces", "Namespace"))
]
"""kopf waits for both before it lists pods."""


def a_watch(place: ConnectionPlace, gap_seen: Callable[[], None] = lambda: None) -> PodWatch:
    """Return a watch that tells nobody of reports."""
    return PodWatch("node-7", place, report_seen=lambda _: None, gap_seen=gap_seen)


def test_watch_that_never_ran_says_so() -> None:
    """With what to look at."""

    async def run() -> None:
        watch = a_watch(NOWHERE)
        watch.stop()
        assert watch.pods() is NOT_LISTED
        assert watch.trouble is NOT_LISTED
        assert not watch.take_relisted()
        watch.reports_are_served()

    asyncio.run(run())


@pytest.mark.parametrize(("failures", "least", "most"), [(0, 1, 2), (1, 2, 4), (3, 8, 16), (99, 150, 300)])
def test_watch_is_started_again_later_and_later(failures: int, least: float, most: float) -> None:
    """Half of the wait is random, so that agents do not come back together."""
    assert restart_seconds(failures, 0) == least
    assert restart_seconds(failures, 1) == most


def test_watch_that_ends_soon_counts_as_failure_whatever_it_knew() -> None:
    """A server that answers each listing and refuses each watch is not to be listed from 5,000 times a second."""
    assert failures_after(3, lasted_seconds=10) == 4
    assert failures_after(3, lasted_seconds=LONGEST_RESTART_SECONDS) == 0


def test_refusal_of_the_pods_is_told_with_what_to_apply(tmp_path: Path) -> None:
    """The scan that lacks them says which right is missing, and not only that they are not there yet."""
    asked_again = asyncio.Event()
    api = FakeApi()

    def answer(asked: Asked) -> Answer:
        if asked.path != PODS_PATH:
            return 200, {"versions": ["v1"], "groups": [], "resources": KINDS}
        if [one.path for one in api.asked].count(PODS_PATH) > 1:
            asked_again.set()
        return 403, {"kind": "Status", "reason": "Forbidden", "message": "no"}

    async def run() -> object:
        api.answer = answer
        async with serving(api, tmp_path) as place:
            watch = a_watch(place)
            task = asyncio.create_task(watch.run())
            # Whoever asks again has taken note of the first answer.
            await asyncio.wait_for(asked_again.wait(), 30)
            pods = watch.pods()
            watch.stop()
            task.cancel()
            return pods

    trouble = asyncio.run(run())

    assert isinstance(trouble, Unavailable)
    assert trouble.reason == "Http403"
    assert "kubectl apply -f manifests/rbac.yaml" in trouble.remedy


def test_watch_that_is_silent_is_started_again(tmp_path: Path) -> None:
    """The pods that it knew last would count for ever, and nothing would tell."""
    was_asked = asyncio.Event()

    def answer(_: Asked) -> Answer:
        was_asked.set()
        return 403, {"kind": "Status", "reason": "Forbidden", "message": "no"}

    async def run() -> None:
        async with serving(FakeApi(answer), tmp_path) as place:
            watch = a_watch(place)
            task = asyncio.create_task(watch.run())
            await asyncio.wait_for(was_asked.wait(), 30)
            first = watch._session
            assert first is not None
            first.asked(PODS_PATH, None)
            watch.restart_if_silent(time.monotonic())
            assert not first.was_stopped
            watch.restart_if_silent(time.monotonic() + LONGEST_SILENCE_SECONDS + 1)
            assert first.was_stopped
            while watch._session in (None, first):
                was_asked.clear()
                await asyncio.wait_for(was_asked.wait(), 30)
            watch.stop()
            task.cancel()

    asyncio.run(run())
