"""The fault matrix on a cluster: checks that need the API server, with the agent as it is installed.

Faults are made with kubectl and the lab, without code of the package; expected values come from kubectl and ctr.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.conftest import StartAgent
from e2e.support.cluster_case import ClusterCase
from e2e.support.node_report import await_report, is_healthy
from e2e.support.pace import FAST, Pace
from integration.support.program import Program, installed
from lab.shapes.cluster import Cluster
from support.fault_matrix import MATRIX


@pytest.fixture
def program(cluster: Cluster, tmp_path: Path) -> Program:
    """A shell on the cluster's node, with ``pausewatch``, ``crictl`` and, for an administrator, ``kubectl`` on PATH."""
    # Without a home directory kubectl would keep its cache wherever it is called.
    cache = f"--cache-dir={tmp_path / 'cache'}"
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\nexec {cluster.programs.kubectl} --kubeconfig={cluster.kubeconfig} {cache} "$@"\n')
    kubectl.chmod(0o755)
    return installed(tmp_path, cluster.runtime)


@pytest.fixture
def start_case(
    cluster: Cluster, start_agent: StartAgent, record_property: Callable[[str, object], None]
) -> Iterator[Callable[[str, Pace], ClusterCase]]:
    """Start an agent for a case of a check, on a cluster that has to be healthy before the fault is made."""
    cases: list[ClusterCase] = []

    def start(check: str, pace: Pace = FAST) -> ClusterCase:
        agent = start_agent(pace)
        await_report(cluster, agent, "of the start", is_healthy)
        cases.append(ClusterCase(cluster, agent, check))
        return cases[-1]

    yield start
    for case in cases:
        record_property(MATRIX, case.line())
