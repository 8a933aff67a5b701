"""What of a status is worth a write of its own; the rest is written along with it."""

import hashlib
import json
from typing import Any


def content_hash(status: dict[str, Any]) -> str:
    """Return a digest of what is worth a write of its own.

    Left out, and written along with the next change: times, all counts of ``summary``, and texts of conditions, which
    hold counts too. Of other counts it matters only whether there is anything: pods that come and go must not write.
    Two agents on one node see the same thing for the first time in two scans: that alone is no news either.
    """
    coverage = status.get("coverage")
    kept = {
        "runtime": status.get("runtime"),
        "coverage": {key: bool(value) if isinstance(value, int) else value for key, value in coverage.items()}
        if isinstance(coverage, dict)
        else {},
        "conditions": [
            [one.get(key) for key in ("type", "status", "reason")] for one in _objects(status, "conditions")
        ],
        "findings": [
            {key: value for key, value in one.items() if key != "firstSeenTime"} for one in _objects(status, "findings")
        ],
        "truncated": bool(status.get("truncatedFindings")),
    }
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _objects(status: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list; under another version of the definition there may be anything instead."""
    values = status.get(name)
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
