"""A sandbox goes on although its pod is gone from the API server."""

import time
from collections.abc import Callable

import pytest

from e2e.support.cluster_case import ClusterCase, commands
from e2e.support.pace import FAST, Pace
from e2e.support.told import is_about
from integration.support.program import Program
from integration.support.runbook import diagnose, mitigation
from lab.errors import LabError
from lab.pods import Pod
from lab.shapes.cluster import Cluster


def test_kubelet_that_lost_sight_of_a_pod(
    cluster: Cluster, program: Program, start_case: Callable[[str, Pace], ClusterCase]
) -> None:
    """Confirmed with kubectl and inspect, ended with the two commands of crictl; the pod beside it goes on."""
    beside = cluster.run(Pod("beside"))
    orphan = cluster.run(Pod("orphan"))
    case = start_case("orphaned-sandbox", FAST)
    cluster.stop_kubelet()
    began = time.monotonic()
    cluster.kubectl("delete", "pod", "orphan", "--namespace=lab", "--force", "--grace-period=0")

    finding = case.found("OrphanedSandbox Critical", began)

    is_about(finding, orphan)
    get, inspect, stop, remove = commands(finding)
    kubectl, *words = get.split()
    assert kubectl == "kubectl"
    with pytest.raises(LabError, match='pods "orphan" not found'):
        cluster.kubectl(*words)
    assert orphan.sandbox_id[:12] in program.shell(inspect)
    listed = cluster.runtime.ctr("tasks", "ls")
    assert orphan.sandbox_id in listed
    shown = diagnose(program, "orphaned-sandbox", namespace="lab", pod="orphan")
    assert 'pods "orphan" not found' in shown
    assert orphan.sandbox_id[:12] in shown
    assert mitigation("orphaned-sandbox", sandbox=orphan.sandbox_id) == [stop, remove]
    program.shell(stop)
    assert orphan.container_ids["app"] not in cluster.runtime.ctr("tasks", "ls")
    program.shell(remove)
    assert [one.id for one in cluster.runtime.client.sandboxes()] == [beside.sandbox_id]
    case.cleared()
