"""What a stored report hands on to the next one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Object = dict[str, Any]


def first_seen(report: Object | None) -> Mapping[str, datetime]:
    """Return when its findings were first seen, by id; what can not be read is left out."""
    findings = ((report or {}).get("status") or {}).get("findings") or []
    found: dict[str, datetime] = {}
    for finding in findings:
        try:
            found[finding["id"]] = datetime.fromisoformat(finding["firstSeenTime"])
        except (KeyError, TypeError, ValueError):
            continue
    return found


def with_transition_times(status: Object, stored: Object) -> Object:
    """Return a status whose conditions keep the ``lastTransitionTime`` of the stored ones with the same status."""
    before = {one.get("type"): one for one in stored.get("conditions") or []}

    def kept(condition: Object) -> Object:
        old = before.get(condition["type"])
        same = old is not None and old.get("status") == condition["status"] and old.get("lastTransitionTime")
        return condition | ({"lastTransitionTime": same} if same else {})

    return status | {"conditions": [kept(one) for one in status["conditions"]]}
