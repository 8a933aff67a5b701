"""helm, kubeconform and an API server, to judge the chart by."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lab.build.helm import ChartTools, ensure_chart_tools
from lab.shapes.cluster import Cluster
from support.helm import Helm

NAMESPACE = "chart-tests"
WANTED = ("podmonitors", "servicemonitors", "prometheusrules")


@pytest.fixture(scope="session")
def tools() -> ChartTools:
    """The programs and schemas, from the lab's cache."""
    return ensure_chart_tools()


@pytest.fixture
def helm(tools: ChartTools, tmp_path: Path) -> Helm:
    """The program, for one test, without a cluster."""
    return Helm(tools.helm, tmp_path, NAMESPACE)


@pytest.fixture(scope="module")
def api_server(running_cluster: Cluster, tools: ChartTools) -> Iterator[Cluster]:
    """A cluster that knows Prometheus Operator's kinds, and has a Namespace for what is tried."""
    definitions = [path for path in tools.definitions if path.stem.rpartition("_")[2] in WANTED]
    assert len(definitions) == len(WANTED)
    files = [f"--filename={path}" for path in definitions]
    namespace: Mapping[str, object] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    try:
        running_cluster.kubectl("apply", "--server-side", *files)
        running_cluster.kubectl("wait", "--for=condition=Established", *files, "--timeout=60s")
        running_cluster.kubectl("apply", "--filename=-", stdin=json.dumps(namespace))
        yield running_cluster
    finally:
        running_cluster.kubectl("delete", "--ignore-not-found", "--wait=false", *files)
        running_cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
