"""Thousands of stored reports in a second or two: put into etcd beside the API server, which serves them as its own.

Made through the API they take two requests each, and minutes. etcd holds custom resources as JSON (apiserver:
pkg/registry/generic, apiextensions-apiserver: unstructured JSON codec).
"""

import base64
import json
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from e2e.support import etcd_posts
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_daemons import ETCD
from pausewatch.model.report import Severity
from pausewatch.sinks.report import render
from support.parts import a_subject
from support.reports import a_finding, a_report

PREFIX = "/registry/pausewatch.github.io/podsandboxreports/"
NODES = "/registry/minions/"

OPERATIONS = 100
"""Of one transaction; etcd allows 128 (--max-txn-ops)."""

SICK_EVERY, SILENT_EVERY = 100, 250
"""One node of a hundred has three findings, one of 250 has an agent that has fallen silent."""


def report_of(number: int, now: datetime) -> dict[str, Any]:
    """Return the report of the node of a number, as the API server stores it."""
    taken_at = now - (timedelta(days=2) if number % SILENT_EVERY == 1 else timedelta(minutes=3))
    findings = (
        tuple(
            a_finding(severity=severity, subject=a_subject(pod=f"web-7d4b9c6f5-{number:05}"), first_seen_at=taken_at)
            for severity in Severity
        )
        if number % SICK_EVERY == 0
        else ()
    )
    report = render(a_report(node_name=f"node-{number:04}", taken_at=taken_at, findings=findings))
    made = {"uid": str(uuid.uuid4()), "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1}
    return report | {"metadata": report["metadata"] | made}


@contextmanager
def many_reports(cluster: Cluster, count: int, folder: Path) -> Iterator[None]:
    """Have the reports of so many nodes in the cluster, and remove all reports in the end."""
    now = datetime.now(UTC)
    reports = (report_of(number, now) for number in range(count))
    put(cluster, folder, ((f"{PREFIX}{one['metadata']['name']}", one) for one in reports))
    try:
        yield
    finally:
        end = f"{PREFIX[:-1]}{chr(ord(PREFIX[-1]) + 1)}"
        _post(cluster, folder, [("/v3/kv/deleterange", {"key": _encoded(PREFIX), "range_end": _encoded(end)})])


def put(cluster: Cluster, folder: Path, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Put objects into etcd by their keys; ``folder`` takes a file."""
    puts = [
        {"requestPut": {"key": _encoded(key), "value": _encoded(json.dumps(value, separators=(",", ":")))}}
        for key, value in objects
    ]
    starts = range(0, len(puts), OPERATIONS)
    _post(cluster, folder, [("/v3/kv/txn", {"success": puts[start : start + OPERATIONS]}) for start in starts])


def _post(cluster: Cluster, folder: Path, bodies: list[tuple[str, dict[str, Any]]]) -> None:
    file = folder / "posts"
    file.write_text("".join(f"{path} {json.dumps(body)}\n" for path, body in bodies), encoding="utf-8")
    cluster.runtime.enter(sys.executable, str(Path(etcd_posts.__file__)), ETCD, str(file))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
