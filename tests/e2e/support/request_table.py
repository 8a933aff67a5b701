"""What the agent of each node asks in an hour, as a table: verbs by resource."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from e2e.support.api_requests import query
from lab.shapes.cluster_audit import AuditRecord

HOUR_SECONDS = 3600.0

TABLE = "requests of the agents per node and hour"
"""The name under which a test records one; the end of a run prints it."""

_NAMED = 2
"""Parts of a path to an object, from its resource on: ``pods/NAME``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of request of one node."""

    node: str
    verb: str
    resource: str
    """``podsandboxreports/status``; the whole path of what is no resource."""

    per_hour: float
    note: str = ""
    """How the number was come by, where that is another way than for the rest."""


def rows_of(node_name: str, requests: Sequence[AuditRecord], hours: float) -> list[Row]:
    """Count the requests of one node, most frequent first.

    Args:
        node_name: Whose they are.
        requests: Those of that node.
        hours: In which they were made, by whichever clock they follow.
    """
    counts = Counter((one.verb, resource_of(one.uri)) for one in requests)
    return [
        Row(node=node_name, verb=verb, resource=resource, per_hour=count / hours)
        for (verb, resource), count in counts.most_common()
    ]


def renewals_of(node_name: str, watches: Iterable[AuditRecord]) -> list[Row]:
    """Reckon how often a node's watches are begun anew in an hour, from how long each was asked to last."""
    lasting = {resource_of(one.uri): float(query(one, "timeoutSeconds")) for one in watches}
    note = "renewals: each watch was asked to last {:.0f} s"
    return [
        Row(
            node=node_name,
            verb="watch",
            resource=resource,
            per_hour=HOUR_SECONDS / seconds,
            note=note.format(seconds),
        )
        for resource, seconds in sorted(lasting.items())
    ]


def resource_of(uri: str) -> str:
    """Return what a request is about, as rights name it: resource and subresource, without names.

    >>> resource_of("/apis/pausewatch.github.io/v1alpha1/podsandboxreports/node-7/status")
    'podsandboxreports/status'
    >>> resource_of("/api/v1/namespaces/lab/pods/web?x=y"), resource_of("/api/v1/pods"), resource_of("/apis")
    ('pods', 'pods', '/apis')
    """
    path = urlsplit(uri).path
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if len(parts) > _NAMED and parts[0] == "namespaces":
        parts = parts[2:]
    if not parts:
        return path
    return "/".join((parts[0], *parts[_NAMED:]))


def rendered(title: str, rows: Sequence[Row]) -> str:
    """Return the table as text."""
    lines = [title, f"  {'node':12} {'verb':7} {'resource':26} {'per hour':>8}"]
    lines += [
        f"  {one.node:12} {one.verb:7} {one.resource:26} {one.per_hour:8.1f}  {one.note}".rstrip() for one in rows
    ]
    return "\n".join(lines)
