"""Findings as Kubernetes Events: what is news between two reports, and the object that tells it.

``kubectl describe`` shows Events to whoever may see a pod, and that is mostly not whoever may read reports. A finding
that asks for something gets one Event of type Warning when it appears and one of type Normal when it is over; findings
that are only for information get none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod
from pausewatch.model.report import Finding, NextCommand, Report, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.sinks import bounds
from pausewatch.sinks.report import time_text

API_VERSION = "events.k8s.io/v1"

CONTROLLER = "pausewatch"
"""Who reports; ``kubectl describe`` shows it in the column From."""

NODE_EVENTS_NAMESPACE = "default"
"""Where Events of objects without a Kubernetes namespace have to be (pkg/apis/core/validation/events.go)."""

SERIES_SECONDS = 600
"""What is told again within this time after it was told last is counted on the same Event. A finding needs some scans
to appear and two to clear: one that flaps comes back within minutes. Events themselves are kept for an hour
(kube-apiserver: --event-ttl)."""

LONGEST_INSTANCE = 128
"""Bytes of ``reportingInstance`` (the same file); a node's name may be longer."""

LONGEST_NAME_PART = 200
"""Characters of the object's name that an Event's begins with: 253 are allowed, and the digest takes 17."""

DIGEST_LENGTH = 16

LEGAL_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
"""Of an object in the API (Kubernetes, object names: DNS subdomain). A runtime takes any other one as well."""

Object = dict[str, Any]


class Change(StrEnum):
    """What happened to a finding; the value is the ``action`` of the Event."""

    FOUND = "Find"
    CLEARED = "Clear"

    @property
    def event_type(self) -> str:
        """The ``type`` of the Event: there are only these two (k8s.io/api/events/v1)."""
        return "Warning" if self is Change.FOUND else "Normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regarding:
    """The object that an Event is shown with."""

    kind: str
    """``Pod`` or ``Node``."""

    namespace: str = ""
    """Empty for a Node."""

    name: str
    uid: str
    """What ``kubectl describe`` looks for, which is no uid of the API in two cases. For a static pod it takes the one
    that the kubelet made of the manifest, from the mirror pod's annotation (kubectl: describe.go, DescribePod), and
    that is what sandboxes carry; for a Node it takes the name, as the kubelet does (the same file, DescribeNode)."""

    @property
    def is_node(self) -> bool:
        """Whether it is the Node."""
        return self.kind == "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding that people know of, by an Event or by the stored report."""

    subject: Subject
    first_seen_at: datetime | None
    """None where the stored report does not say."""

    regarding: Regarding | None
    """Where it was told; None if an earlier run of the agent did that."""


Known = Mapping[tuple[str, str], Told]
"""By finding id and reason: a finding whose reason changes is told anew, for both are one vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one Event is to say."""

    finding_id: str
    change: Change
    reason: str
    note: str
    """At most 1024 bytes."""

    regarding: Regarding
    at: datetime
    """Of the scan."""

    @property
    def topic(self) -> tuple[str, ...]:
        """What makes two News the same Event, told once more."""
        return (self.finding_id, self.reason, self.change.value, self.regarding.kind, self.regarding.uid)


def news(
    known: Known, report: Report, pods: tuple[Pod, ...] | Unavailable, *, settled: bool
) -> tuple[tuple[News, ...], Known]:
    """Return what is to be told after a scan, worst first, and what people know then.

    A finding that ends together with its pod is not told: nobody can describe that pod any more.

    Args:
        known: What people know.
        report: The scan.
        pods: Those of this node in the API. Where they are not known, every pod is taken to be there.
        settled: Whether a finding that this run of the agent has never seen is over; a new agent needs a while to see
            again what the one before it saw.
    """
    by_uid = None if isinstance(pods, Unavailable) else {pod.uid: pod for pod in pods}
    told: list[News] = []
    following: dict[tuple[str, str], Told] = {}
    for finding in report.findings:
        if finding.severity is Severity.INFO:
            continue
        key = (finding.id, finding.reason)
        regarding = _where(finding.subject, by_uid, report.node_name) or _node(report.node_name)
        if key not in known:
            told.append(_news(key, Change.FOUND, _found(finding), regarding, report))
        before = known.get(key) or Told(
            subject=finding.subject, first_seen_at=finding.first_seen_at, regarding=regarding
        )
        following[key] = replace(before, regarding=before.regarding or regarding)
    for key, one in known.items():
        if key in following:
            continue
        if one.regarding is None and not settled:
            following[key] = one
            continue
        on_node = one.regarding is not None and one.regarding.is_node
        where = one.regarding if on_node else _where(one.subject, by_uid, report.node_name)
        if where is not None:
            told.append(_news(key, Change.CLEARED, _cleared(key[1], one), where, report))
    return tuple(told), following


def render(one: News, node_name: str) -> Object:
    """Return the Event.

    Its name follows from what it tells and from the ten minutes it is told in, so whoever tells the same in those makes
    no second Event: an agent whose request was answered too late, one that was started anew, or another one of the same
    node, such as in a rollout with an overlap. Those of one agent that tell the same are at least as far apart, or a
    series.
    """
    regarding = one.regarding
    window = int(one.at.timestamp() // SERIES_SECONDS)
    digest = sha256("\n".join((*one.topic, str(window))).encode()).hexdigest()[:DIGEST_LENGTH]
    start = regarding.name[:LONGEST_NAME_PART].rstrip("-.")
    return {
        "apiVersion": API_VERSION,
        "kind": "Event",
        "metadata": {"name": f"{start}.{digest}", "namespace": regarding.namespace or NODE_EVENTS_NAMESPACE},
        "eventTime": micro_time_text(one.at),
        "type": one.change.event_type,
        "reason": one.reason,
        "action": one.change.value,
        "note": one.note,
        "regarding": {
            "apiVersion": "v1",
            "kind": regarding.kind,
            "name": regarding.name,
            "uid": regarding.uid,
            **({"namespace": regarding.namespace} if regarding.namespace else {}),
        },
        "reportingController": CONTROLLER,
        "reportingInstance": node_name[:LONGEST_INSTANCE],
    }


def series(count: int, last_observed_at: datetime) -> Object:
    """Return the ``series`` of an Event that was told ``count`` times, which must be 2 or more."""
    return {"count": count, "lastObservedTime": micro_time_text(last_observed_at)}


def micro_time_text(moment: datetime) -> str:
    """Return a time with its six digits, all of which metav1.MicroTime demands.

    >>> micro_time_text(datetime(2026, 11, 21, 9, 14, 3, tzinfo=UTC))
    '2026-11-21T09:14:03.000000Z'
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _news(key: tuple[str, str], change: Change, note: str, regarding: Regarding, report: Report) -> News:
    finding_id, reason = key
    return News(finding_id=finding_id, change=change, reason=reason, note=note, regarding=regarding, at=report.taken_at)


def _where(subject: Subject, pods: Mapping[str, Pod] | None, node_name: str) -> Regarding | None:
    """Return the object that a subject is; None for a pod that the API server does not have."""
    if subject.is_node:
        return _node(node_name)
    if pods is None:
        # Told by the runtime alone: what can not be a pod in the API would be refused, again and again.
        if not (LEGAL_NAME.fullmatch(subject.pod) and LEGAL_NAME.fullmatch(subject.namespace)):
            return None
        return Regarding(kind="Pod", namespace=subject.namespace, name=subject.pod, uid=subject.uid)
    pod = pods.get(subject.uid)
    return None if pod is None else Regarding(kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid)


def _node(name: str) -> Regarding:
    return Regarding(kind="Node", name=name, uid=name)


def _found(finding: Finding) -> str:
    # A command that was cut may do something else: it is told whole or not at all.
    whole = "".join((finding.message.rstrip("."), *_next(finding.next_commands)))
    return whole if len(whole.encode()) <= bounds.MESSAGE else bounds.cut(finding.message, bounds.MESSAGE)


def _next(commands: tuple[NextCommand, ...]) -> Iterator[str]:
    """Yield the first command, with where it is to be typed."""
    for first in commands[:1]:
        yield f". Next, on the node: {first.command}" if first.run_on is RunOn.NODE else f". Next: {first.command}"


def _cleared(reason: str, told: Told) -> str:
    since = "" if told.first_seen_at is None else f" It was first seen at {time_text(told.first_seen_at)}."
    return bounds.cut(f"{reason} of {told.subject} is over: scans do not find it any more.{since}", bounds.MESSAGE)
