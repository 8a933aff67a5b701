"""What the API server writes about each request it got."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

#: Under which a token's node is told (apiserver pkg/authentication/serviceaccount/util.go).
_NODE_CLAIM = "authentication.kubernetes.io/node-name"


@dataclass(frozen=True)
class AuditRecord:
    """One stage of one request, an Event of audit.k8s.io/v1 at level Metadata.

    Attributes:
        stage: ResponseComplete for most; ResponseStarted too for a request that lasts, such as a watch.
        verb: The Kubernetes verb: get, list, watch, create, update, patch, delete; or the method of another URL.
        user: Who asked: "system:serviceaccount:NAMESPACE:NAME", "system:node:NODE", "admin".
        node: The node that the token names, as tokens of pods do; empty for every other identity.
        user_agent: What program asked, as it calls itself.
        uri: The path with the query, selectors included.
        code: HTTP status of the answer.
        time: When the request was received.
    """

    stage: str
    verb: str
    user: str
    node: str
    user_agent: str
    uri: str
    code: int
    time: datetime


def read_audit(log: Path) -> list[AuditRecord]:
    """Every record so far, in order of writing; a line that is being written at this moment is left out."""
    if not log.exists():
        return []
    complete, _, _ = log.read_text().rpartition("\n")
    return [_parse(line) for line in complete.splitlines()]


def _parse(line: str) -> AuditRecord:
    event = json.loads(line)
    return AuditRecord(
        stage=event["stage"],
        verb=event["verb"],
        user=event["user"].get("username", ""),
        node=next(iter(event["user"].get("extra", {}).get(_NODE_CLAIM, ())), ""),
        user_agent=event.get("userAgent", ""),
        uri=event["requestURI"],
        code=event.get("responseStatus", {}).get("code", 0),
        time=datetime.fromisoformat(event["requestReceivedTimestamp"]),
    )
