"""How large the object is that the API server keeps, its own notes in ``metadata.managedFields`` included."""

import asyncio
from pathlib import Path

import pytest

from lab.shapes.cluster import Cluster
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.reports import NodeReports
from pausewatch.model.report import Report
from pausewatch.sinks import bounds
from pausewatch.sinks.report import Object, render
from support.parts import a_subject
from support.reports import a_finding, a_report, the_longest_report

ORDINARY_BYTES = 16 * 1024
MOST_BYTES = 64 * 1024


@pytest.mark.parametrize("text", ["x" * 2000, "𝄞" * 2000, '"' * 2000], ids=["plain", "wide", "quotes"])
def test_stored_report_at_its_cap(cluster: Cluster, kubeconfig: Path, text: str) -> None:
    """Every text as long as it may be, more findings than are kept: accepted, and small enough for etcd and watches."""
    stored = store(the_longest_report(text, node_name=cluster.node_name), kubeconfig)

    size = stored_bytes(cluster)
    print(f"{len(stored['status']['findings'])} findings at the cap: {size} bytes")  # noqa: T201
    assert stored["status"]["findings"]
    assert len(stored["status"]["findings"]) + stored["status"]["truncatedFindings"] == 100
    assert size < MOST_BYTES


@pytest.mark.parametrize(
    ("count", "most_bytes"), [(0, 4096), (5, ORDINARY_BYTES), (bounds.FINDINGS, 2 * ORDINARY_BYTES)]
)
def test_stored_report_in_ordinary_life(cluster: Cluster, kubeconfig: Path, count: int, most_bytes: int) -> None:
    """Names and messages as they are."""
    findings = tuple(a_finding(subject=a_subject(pod=f"web-7d4b9c6f5-{number:05}")) for number in range(count))
    store(a_report(node_name=cluster.node_name, findings=findings), kubeconfig)

    size = stored_bytes(cluster)
    print(f"{count} ordinary findings: {size} bytes")  # noqa: T201
    assert size < most_bytes


def store(report: Report, kubeconfig: Path) -> Object:
    """Create and fill the report as the agent does, twice: the second write must not add to the notes."""

    async def write() -> Object:
        client = ApiClient(ConnectionPlace(kubeconfig=kubeconfig))
        try:
            reports = NodeReports(api=client, node_name=report.node_name)
            rendered = render(report)
            await reports.create(rendered)
            await reports.replace_status(rendered["status"])
            return await reports.replace_status(rendered["status"])
        finally:
            await client.close()

    return asyncio.run(write())


def stored_bytes(cluster: Cluster) -> int:
    """Return the bytes of the object in JSON, which is how the API server keeps custom resources in etcd."""
    path = f"/apis/pausewatch.github.io/v1alpha1/podsandboxreports/{cluster.node_name}"
    return len(cluster.kubectl("get", f"--raw={path}").encode())
