"""What a stored report hands on to the next one.

Whoever may write reports may have left anything there, and the definition in force may be of another version than ours.
What can not be read is left out: an error here would end the reports of the node, and losing a time costs only that.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pausewatch.model.report import Severity
from pausewatch.model.subject import Subject
from pausewatch.model.text import printable
from pausewatch.sinks.events import Known, Told
from pausewatch.sinks.report import time_text

Object = dict[str, Any]


def first_seen(report: Object | None) -> Mapping[str, datetime]:
    """Return when its findings were first seen, in UTC, by id."""
    found: dict[str, datetime] = {}
    for finding in _listed((report or {}).get("status"), "findings"):
        moment = _moment(finding.get("firstSeenTime"))
        if moment is not None and isinstance(finding.get("id"), str):
            found[finding["id"]] = moment
    return found


def told(report: Object | None) -> Known:
    """Return the findings that people know of from its Events: all but those that are only for information."""
    found: dict[tuple[str, str], Told] = {}
    for finding in _listed((report or {}).get("status"), "findings"):
        key = (finding.get("id"), finding.get("reason"))
        if finding.get("severity") != Severity.INFO and isinstance(key[0], str) and isinstance(key[1], str):
            found[key[0], key[1]] = Told(
                subject=_subject(finding), first_seen_at=_moment(finding.get("firstSeenTime")), regarding=None
            )
    return found


def with_transition_times(status: Object, stored: Object) -> Object:
    """Return a status whose conditions keep the ``lastTransitionTime`` of the stored ones with the same status."""
    before = list(_listed(stored, "conditions"))
    return status | {"conditions": [_with_older_time(one, before) for one in status["conditions"]]}


def _subject(finding: Object) -> Subject:
    pod = finding.get("pod")
    texts = {name: pod.get(name) for name in ("namespace", "name", "uid")} if isinstance(pod, dict) else {}
    texts["container"] = finding.get("container")
    known = {name: printable(value) for name, value in texts.items() if isinstance(value, str)}
    return Subject(
        namespace=known.get("namespace", ""),
        pod=known.get("name", ""),
        uid=known.get("uid", ""),
        container=known.get("container", ""),
    )


def _with_older_time(condition: Object, before: Iterable[Object]) -> Object:
    for old in before:
        moment = _moment(old.get("lastTransitionTime"))
        if moment is not None and (old.get("type"), old.get("status")) == (condition["type"], condition["status"]):
            return condition | {"lastTransitionTime": time_text(moment)}
    return condition


def _listed(status: object, name: str) -> Iterator[Object]:
    """Yield the objects of a list in a status, if there is such a list."""
    values = status.get(name) if isinstance(status, dict) else None
    yield from (one for one in (values if isinstance(values, list) else ()) if isinstance(one, dict))


def _moment(text: object) -> datetime | None:
    """Return a time of which it is known where on earth it was told; None for everything else."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
