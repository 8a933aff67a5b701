"""Why a pod waits for its sandbox."""
# ruff: noqa: ANN401  builders pass any field of an object

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cluster.api_server import Answer, Asked, FakeApi, asking, status_object
from pausewatch.cluster.errors import ApiError
from pausewatch.cluster.waiting_pods import ask_why_waiting, cleaned, waiting_pod
from pausewatch.model.pod import Pod, WaitingPod
from support.parts import WEB_UID, a_pod

SANDBOX_ID = "49b6b3a0c1d24e5f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f"
CONTAINERD_SAYS = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox"
    f' "{SANDBOX_ID}": plugin type="bridge" failed (add): failed to open netns'
    ' "/var/run/netns/cni-0f8fad5b-d9cb-469f-a165-70867728950e"'
)
SAID = (
    'failed to setup network for sandbox "...": plugin type="bridge" failed (add): failed to open netns'
    ' "/var/run/netns/cni-..."'
)


def event(minute: int, message: str = CONTAINERD_SAYS, **fields: Any) -> dict[str, Any]:
    """Return an Event as a kubelet writes it."""
    return {"reason": "FailedCreatePodSandBox", "message": message, "lastTimestamp": at(minute), **fields}


def at(minute: int) -> str:
    """Return a time as the API server writes it."""
    return f"2026-11-21T09:{minute:02}:00Z"


def time(minute: int) -> datetime:
    """Return the same time."""
    return datetime(2026, 11, 21, 9, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (CONTAINERD_SAYS, SAID),
        (f"(combined from similar events): {CONTAINERD_SAYS}", SAID),
        (
            "dial: read tcp 10.0.0.4:53422->10.96.0.1:443: i/o timeout",
            "dial: read tcp 10.0.0.4:...->10.96.0.1:443: i/o timeout",
        ),
        ("two\n  lines\x1b[31m", "two lines\\x1b[31m"),
        ("", "(the Event says nothing)"),
    ],
)
def test_error_is_what_the_runtime_says_each_time(message: str, said: str) -> None:
    """Without what is another at each attempt, in one line, escaped."""
    assert cleaned(message) == said


def test_error_is_bounded() -> None:
    """A network plugin may answer with pages."""
    assert len(cleaned("long " * 1000)) == 400


def test_latest_event_tells() -> None:
    """In whatever order they are listed."""
    events = [event(3, "first"), event(9, "third"), event(5, "second")]

    assert waiting_pod(a_pod(), events) == WaitingPod(uid=WEB_UID, error="third", last_failed_at=time(9))


def test_events_of_the_newer_kind_tell_too() -> None:
    """Those of events.k8s.io leave the fields of core/v1 empty."""
    series = {"lastObservedTime": "2026-11-21T09:07:00.000001Z"}
    newer = event(0, lastTimestamp=None, eventTime=at(2), series=series)

    assert waiting_pod(a_pod(), [newer]).last_failed_at == time(7).replace(microsecond=1)


@pytest.mark.parametrize("events", [[], [{}], [event(0, lastTimestamp="yesterday")]])
def test_without_a_dated_event_nothing_failed(events: list[dict[str, Any]]) -> None:
    """Waiting for a volume looks the same."""
    assert waiting_pod(a_pod(), events) == WaitingPod(uid=WEB_UID, error="", last_failed_at=None)


def pod_object(phase: str, uid: str = WEB_UID) -> dict[str, Any]:
    """Return a pod as the API server sends it."""
    return {"metadata": {"namespace": "team-a", "name": "web-x", "uid": uid}, "status": {"phase": phase}}


def ask(pod_answer: Answer, events_answer: Answer, folder: Path) -> tuple[FakeApi, WaitingPod | None]:
    """Ask about web-x; return the server and the answer."""

    def answer(asked: Asked) -> Answer:
        return events_answer if asked.path.endswith("/events") else pod_answer

    api = FakeApi(answer)

    async def run() -> WaitingPod | None:
        async with asking(api, folder) as client:
            return await ask_why_waiting(client, web())

    return api, asyncio.run(run())


def web() -> Pod:
    """Return the pod that is asked about."""
    return a_pod()


def test_waiting_pod_costs_two_small_requests(tmp_path: Path) -> None:
    """The Events of this pod alone, of its Kubernetes namespace alone, with what they say."""
    api, found = ask((200, pod_object("Pending")), (200, {"items": [event(1)]}), tmp_path)

    assert found == WaitingPod(uid=WEB_UID, error=SAID, last_failed_at=time(1))
    assert [one.brief for one in api.asked] == [
        "GET /api/v1/namespaces/team-a/pods/web-x",
        "GET /api/v1/namespaces/team-a/events",
    ]
    assert api.asked[1].query == {
        "fieldSelector": f"involvedObject.uid={WEB_UID},reason=FailedCreatePodSandBox",
        "limit": "100",
    }
    assert api.asked[1].headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    "answer",
    [
        (200, pod_object("Succeeded")),
        (200, pod_object("Failed")),
        (200, pod_object("Pending", uid="another")),
        (404, status_object(404, "NotFound", name="web-x")),
    ],
)
def test_pod_that_needs_no_sandbox_is_not_waiting(answer: Answer, tmp_path: Path) -> None:
    """Completed, evicted, replaced or deleted; nobody asks for its Events."""
    api, found = ask(answer, (500, {}), tmp_path)

    assert found is None
    assert len(api.asked) == 1


def test_missing_right_is_told(tmp_path: Path) -> None:
    """Not taken for a pod without Events."""
    with pytest.raises(ApiError):
        ask((200, pod_object("Pending")), (403, status_object(403, "Forbidden")), tmp_path)
