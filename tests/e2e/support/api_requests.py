"""What the agent asked of the API server, with the server's own audit log as witness."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from e2e.support.installation import agent_user
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_audit import AuditRecord

REPORTS = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"
PODS = "/api/v1/pods"
WRITES = ("create", "update", "patch", "delete", "deletecollection")


def now() -> datetime:
    """The time by which later requests are told from earlier ones."""
    return datetime.now(UTC)


def requests_since(cluster: Cluster, moment: datetime) -> list[AuditRecord]:
    """Each request of the agent since then, once, in order."""
    # A watch is on record when it starts and when it ends.
    return [
        one
        for one in cluster.audit()
        if one.user == agent_user()
        and one.time >= moment
        and (one.stage == "ResponseComplete" if one.verb != "watch" else one.stage == "ResponseStarted")
    ]


def brief(requests: Sequence[AuditRecord]) -> list[str]:
    """Requests as "verb path code", without the query."""
    return [f"{one.verb} {urlsplit(one.uri).path} {one.code}" for one in requests]


def status_writes(requests: Sequence[AuditRecord]) -> list[AuditRecord]:
    """Those that wrote the status of a report."""
    return [one for one in requests if one.verb in WRITES and urlsplit(one.uri).path.endswith("/status")]


def creations(requests: Sequence[AuditRecord]) -> list[AuditRecord]:
    """Those that created a report."""
    return [one for one in requests if one.verb == "create" and urlsplit(one.uri).path == REPORTS]


def field_selector(request: AuditRecord) -> str:
    """The field selector of a LIST or WATCH; empty if it has none."""
    return parse_qs(urlsplit(request.uri).query).get("fieldSelector", [""])[0]
