"""Why a pod waits for its sandbox: its phase, and what the kubelet says in its Events."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pausewatch.cluster.client import EVENTS, ApiClient
from pausewatch.cluster.pods import get_whole_pod, moment, translate
from pausewatch.model.pod import Pod, WaitingPod
from pausewatch.model.text import printable

FAILED = "FailedCreatePodSandBox"
"""The reason of the Event, spelled as the kubelet does (pkg/kubelet/events/event.go, FailedCreatePodSandBox)."""

ENDED = ("Succeeded", "Failed")
"""Phases that a pod never leaves; it has no ready sandbox any more (Kubernetes: Pod Lifecycle)."""

MOST_EVENTS = 100
"""Read of one pod. The kubelet's recorder tells ten different texts, then counts the rest in one more Event for ten
minutes (client-go: tools/record/events_cache.go), and Events live for an hour."""

LONGEST_ERROR = 400
"""Characters kept of an error: network plugins quote each other."""

PREFIXES = re.compile(
    r"^(\(combined from similar events\): *|Failed to create pod sandbox: *|rpc error: code = \w+ desc = *)+"
)
"""What the recorder, the kubelet and gRPC put before the words of the runtime."""

VOLATILE = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "..."),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "..."),
    (re.compile(r":\d{4,5}->"), ":...->"),
)
"""What is another at each attempt: the id of the sandbox, the name of its network namespace, the port of a connection.
A report with those in it would be stored anew for each."""


async def ask_why_waiting(api: ApiClient, pod: Pod) -> WaitingPod | None:
    """Return what the API server knows now of a pod without ready sandbox.

    None if it needs no sandbox any more: it has reached its end, or has made room for another of its name.

    Raises:
        ApiError: The API server did not answer.
    """
    current = await get_whole_pod(api, pod.namespace, pod.name)
    if current is None or translate(current).uid != pod.uid or (current.get("status") or {}).get("phase") in ENDED:
        return None
    answer = await api.request(
        "GET",
        f"/api/v1/namespaces/{quote(pod.namespace, safe='')}{EVENTS}",
        query={"fieldSelector": f"involvedObject.uid={pod.uid},reason={FAILED}", "limit": str(MOST_EVENTS)},
    )
    return waiting_pod(pod, answer.get("items") or ())


def waiting_pod(pod: Pod, events: Iterable[Mapping[str, Any]]) -> WaitingPod:
    """Return a pod with what the latest of its Events of a failure says."""
    told = [(happened, event) for event in events if (happened := _happened_at(event)) is not None]
    if not told:
        return WaitingPod(uid=pod.uid, error="", last_failed_at=None)
    last_failed_at, latest = max(told, key=lambda one: one[0])
    return WaitingPod(uid=pod.uid, error=cleaned(str(latest.get("message") or "")), last_failed_at=last_failed_at)


def cleaned(message: str) -> str:
    """Return the runtime's words in an Event's message, without what changes at each attempt, in one line.

    >>> cleaned('Failed to create pod sandbox: rpc error: code = Unknown desc = no network for "0123456789abcdef"')
    'no network for "..."'
    """
    text = PREFIXES.sub("", " ".join(message.split()))
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return printable(text, longest=LONGEST_ERROR) or "(the Event says nothing)"


def _happened_at(event: Mapping[str, Any]) -> datetime | None:
    """Return when an Event happened last: core/v1 clients fill ``lastTimestamp``, those of events.k8s.io the others."""
    series = event.get("series") or {}
    times = (moment(series.get("lastObservedTime")), moment(event.get("lastTimestamp")), moment(event.get("eventTime")))
    return next((one for one in times if one is not None), None)
