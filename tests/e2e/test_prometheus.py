"""A real Prometheus scrapes the agent of a broken node: the alerts that should fire do, and every panel has data."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from contracts.dashboard_model import concrete
from contracts.fleet_dashboard import FLEET
from contracts.node_dashboard import NODE
from e2e.conftest import StartAgent
from e2e.support.faulty import run_forgetful
from e2e.support.pace import FAST
from e2e.support.prometheus import RULES, Prometheus, Target, free_port, in_seconds, running_prometheus
from lab import faults
from lab.pods import Container, Pod
from lab.shapes.cluster import Cluster
from pausewatch.checks._check import all_checks

BLIND, GONE = "blind-node", "gone-node"
"""Two more nodes, as far as Prometheus knows: an agent that reaches neither runtime nor API server, and none at all."""

ABOUT_PODS = {
    ("PausewatchNamespaceNotShared", "critical", "lab/torn/app"),
    ("PausewatchZombieBuildup", "warning", "lab/forgetful/app"),
    ("PausewatchOrphanedSandbox", "critical", "lab/orphan/"),
}
ABOUT_NODES = {
    ("PausewatchSandboxImageMissing", "warning", ""),
    ("PausewatchRuntimeUnreachable", "warning", BLIND),
    ("PausewatchReportWritesFailing", "warning", BLIND),
    ("PausewatchDown", "warning", GONE),
}
NEVER_SEEN = {
    ("PausewatchDown", "critical"): "one agent answers",
    ("PausewatchScanStale", "warning"): "takes five minutes without a scan",
    **{
        (f"Pausewatch{reason.name}", severity.lower()): "its fault is not made here, but in tests/*/faults"
        for check in all_checks()
        for reason in check.reasons
        for severity in reason.severities
        if (f"Pausewatch{reason.name}", severity.lower())
        not in {(name, of) for name, of, _ in ABOUT_PODS | ABOUT_NODES}
    },
}
"""Alerts that have to stay silent: their expressions are understood, and return nothing."""

FIRING_SECONDS = 120.0
"""For all of them: an orphan takes 40 s, all others less."""


@pytest.fixture
def broken_cluster(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with a torn pod, one that does not reap, one to be orphaned, and no sandbox image."""
    cluster.falsify("torn", "app", {"type": "network", "do": "fresh"})
    cluster.run(Pod("torn", containers=(Container("app"), Container("side"))))
    run_forgetful(cluster)
    cluster.run(Pod("orphan"))
    faults.sandbox_image_removed(cluster.runtime)
    yield cluster
    cluster.runtime.import_images()


@pytest.mark.timeout(300)
def test_alerts_fire_and_every_panel_has_data(broken_cluster: Cluster, start_agent: StartAgent, tmp_path: Path) -> None:
    """With the scrape configuration and the rules of the chart; what is not broken stays silent."""
    cluster = broken_cluster
    well, blind, gone = free_port(), free_port(), free_port()
    targets = (
        Target(port=well, node=cluster.node_name),
        Target(port=blind, node=BLIND),
        Target(port=gone, node=GONE),
    )
    nowhere = tmp_path / "nowhere"
    with running_prometheus(tmp_path, targets) as prometheus:
        agent = start_agent(FAST, variables={"PAUSEWATCH_LISTEN_ADDRESS": f"127.0.0.1:{well}"})
        start_agent(
            FAST,
            kubeconfig=nowhere,
            variables={
                "PAUSEWATCH_LISTEN_ADDRESS": f"127.0.0.1:{blind}",
                "PAUSEWATCH_NODE_NAME": BLIND,
                "PAUSEWATCH_RUNTIME_ENDPOINT": f"unix://{nowhere}",
            },
        )
        agent.await_scans(2)
        cluster.stop_kubelet()
        cluster.kubectl("delete", "pod", "orphan", "--namespace=lab", "--force", "--grace-period=0")

        missing: set[tuple[str, str, str]] = set()

        def all_fired() -> bool:
            missing.clear()
            missing.update((ABOUT_PODS | ABOUT_NODES) - fired(prometheus, cluster.node_name))
            return not missing

        try:
            agent.wait("alerts to fire", all_fired, FIRING_SECONDS)
        except Exception as error:
            raise AssertionError(f"never fired: {sorted(missing)}") from error

        assert {one for one in fired(prometheus, cluster.node_name) if "/" in one[2]} == ABOUT_PODS
        expressions_answer(prometheus)
        panels_have_data(prometheus, cluster.node_name)
        described(prometheus, cluster.node_name)
        troubles = prometheus.troubles()
        assert (troubles[cluster.node_name], troubles[BLIND]) == ("", "")
        assert "refused" in troubles[GONE]
        # The agent's own pod has not taken the place of the one that a metric is about.
        assert prometheus.query('{__name__=~"pausewatch_.*", exported_pod=~".+"}') == []
        assert prometheus.query('pausewatch_finding_first_seen_timestamp_seconds{pod=~"pausewatch-.*"}') == []


def fired(prometheus: Prometheus, node: str) -> set[tuple[str, str, str]]:
    """Return the alerts that have fired at some time: name, severity, and what they are about.

    That is a pod and its container, or another node than the cluster's, or nothing.
    """
    return {
        (
            one["alertname"],
            one["severity"],
            f"{one['namespace']}/{one['pod']}/{one.get('container', '')}"
            if "pod" in one
            else one.get("node", "").replace(node, ""),
        )
        for one in prometheus.query('max_over_time(ALERTS{alertstate="firing"}[10m])')
    }


def expressions_answer(prometheus: Prometheus) -> None:
    """Evaluate every rule: with data where its fault is there, and with none where it is not."""
    groups = yaml.safe_load(in_seconds(RULES.read_text()))["groups"]
    present = {(name, severity) for name, severity, _ in ABOUT_PODS | ABOUT_NODES}
    seen = set()
    for rule in (rule for group in groups for rule in group["rules"]):
        found = prometheus.query(rule["expr"])
        if "record" in rule:
            assert found, rule
            continue
        alert = rule["alert"], rule["labels"]["severity"]
        seen.add(alert)
        assert (alert in present) != (alert in NEVER_SEEN), alert
        # Failed writes of an agent become rarer, and fall out of the window: that it fired was seen.
        if alert in NEVER_SEEN:
            # Findings about the node are about this machine, which others may use beside us.
            told = [one for one in found if "pod" in one or "check" not in one]
            assert told == [], f"{alert}, although {NEVER_SEEN[alert]}: {told}"
        elif alert[0] != "PausewatchReportWritesFailing":
            assert found, alert
    assert present <= seen


def panels_have_data(prometheus: Prometheus, node: str) -> None:
    """Ask every query of both dashboards, and for the values of their variables."""
    values = {"cluster": ".*", "node": node, "namespace": ".*", "__rate_interval": "10s"}
    for dashboard in (FLEET, NODE):
        for panel in dashboard.panels:
            for query in panel.queries:
                found = prometheus.query(concrete(query.expression, values))
                assert found, f"{dashboard.title}: {panel.title}: {query.expression}"
                labels = set(re.findall(r"{{(\w+)}}", query.legend))
                assert any(labels <= one.keys() for one in found), f"{panel.title}: {query.legend}"
        for variable in dashboard.variables:
            asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable.values)
            assert asked, variable
            found = prometheus.query(concrete(asked[1], values))
            # This Prometheus has one cluster, and no label for it: the variable is empty, and everything matches.
            assert any(asked[2] in one for one in found) == (asked[2] != "cluster"), variable


def described(prometheus: Prometheus, node: str) -> None:
    """Hold what people get to naming the container, the node, since when, and what to type."""
    (alert,) = [one for one in prometheus.alerts() if one["labels"]["alertname"] == "PausewatchNamespaceNotShared"]
    description = alert["annotations"]["description"]
    assert description.startswith(
        f"lab/torn/app on node {node}: the container is in a Linux namespace that belongs to no"
    )
    assert re.search(r", since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", description)
    assert f"kubectl get psr {node} --output yaml" in description
    assert alert["annotations"]["runbook_url"].endswith("/checks/namespace-not-shared"), json.dumps(alert)
