"""A real Prometheus scrapes the agent of a broken node: the alerts that should fire do, and every panel has data."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.dashboard_model import concrete
from contracts.fleet_dashboard import FLEET
from contracts.node_dashboard import NODE
from e2e.conftest import NONE, StartAgent
from e2e.support.agent import Agent
from e2e.support.faulty import other_sandbox_image, run_forgetful
from e2e.support.pace import FAST
from e2e.support.prometheus import RULES, Prometheus, Series, Target, free_port, in_seconds, running_prometheus
from lab.errors import WaitTimeoutError
from lab.pins import OTHER_PAUSE_IMAGE
from lab.pods import Container, Pod
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.checks._check import all_checks
from pictures.answers import VARIABLE, keep_answers

LATE, BLIND, GONE = "late-node", "blind-node", "gone-node"
"""More nodes, as far as Prometheus knows: an agent that comes to the cluster's node when the sandbox image is removed
and reaches no API server, one that reaches no runtime either, and none at all."""

ABOUT_PODS = {
    ("PausewatchNamespaceNotShared", "critical", "lab/torn/app"),
    ("PausewatchZombieBuildup", "warning", "lab/forgetful/app"),
    ("PausewatchOrphanedSandbox", "critical", "lab/orphan/"),
}
WRITES_FAILING = ("PausewatchReportWritesFailing", "warning", BLIND)
ABOUT_NODES = {
    ("PausewatchSandboxImageMissing", "warning", LATE),
    ("PausewatchRuntimeUnreachable", "warning", BLIND),
    *(("PausewatchSourceDown", "warning", node) for node in (LATE, BLIND)),
    WRITES_FAILING,
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

FIRING_SECONDS = 90.0
"""For all of them: an orphan takes 40 s, all others less."""

STARTS = 3
"""Of the agent that can not write. It tries less and less often, as it should; where ten minutes are ten seconds, a
machine that is busy at its start may keep Prometheus from seeing more than two attempts in time."""

ANSWER_SECONDS = 60.0
"""For what is true all the time: where a busy machine held up a scrape for a second, it is unknown for a moment."""


@pytest.fixture
def broken_cluster(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with a torn pod, one that does not reap, and one to be orphaned, from another sandbox image."""
    cluster.falsify("torn", "app", {"type": "network", "do": "fresh"})
    torn = cluster.run(Pod("torn", containers=(Container("app"), Container("side"))))
    run_forgetful(cluster)
    with other_sandbox_image(cluster, torn):
        cluster.run(Pod("orphan"))
        yield cluster


@pytest.mark.timeout(600)
def test_alerts_fire_and_every_panel_has_data(broken_cluster: Cluster, start_agent: StartAgent, tmp_path: Path) -> None:
    """With the scrape configuration and the rules of the chart; what is not broken stays silent."""
    cluster = broken_cluster
    own = cluster.node_name
    ports = {node: free_port() for node in (own, LATE, BLIND, GONE)}
    nowhere = tmp_path / "nowhere"

    def start(node: str, variables: Mapping[str, str] = NONE, **options: Path) -> Agent:
        names = {"PAUSEWATCH_LISTEN_ADDRESS": f"127.0.0.1:{ports[node]}", "PAUSEWATCH_NODE_NAME": node}
        return start_agent(FAST, variables={**names, **variables}, **options)

    with running_prometheus(
        tmp_path, tuple(Target(port=port, node=node) for node, port in ports.items())
    ) as prometheus:

        def start_blind() -> Agent:
            return start(BLIND, kubeconfig=nowhere, variables={"PAUSEWATCH_RUNTIME_ENDPOINT": f"unix://{nowhere}"})

        agent = start(own)
        blind = start_blind()
        agent.wait("drift", lambda: agent.metrics().total("pausewatch_findings", reason="SandboxImageDrift"), 60)
        cluster.runtime.client.remove_image(OTHER_PAUSE_IMAGE)
        start(LATE, kubeconfig=nowhere)
        cluster.stop_kubelet()
        cluster.kubectl("delete", "pod", "orphan", "--namespace=lab", "--force", "--grace-period=0")

        for _ in range(STARTS):
            missing = await_fired(prometheus, agent, own)
            if missing != {WRITES_FAILING}:
                break
            blind.stop()
            blind = start_blind()

        assert not missing
        assert {one for one in fired(prometheus, own) if "/" in one[2]} == ABOUT_PODS
        expressions_answer(prometheus)
        panels_have_data(prometheus, own)
        if os.environ.get(VARIABLE):
            keep_answers(prometheus, own, Path(os.environ[VARIABLE]))
        drifted = answer(prometheus, 'pausewatch_findings{reason="SandboxImageDrift"} == 1')
        assert [one["node"] for one in drifted] == [own]
        described(prometheus, own)
        assert "refused" in prometheus.troubles()[GONE]
        # The agent's own pod has not taken the place of the one that a metric is about.
        assert prometheus.query('{__name__=~"pausewatch_.*", exported_pod=~".+"}') == []
        assert prometheus.query('pausewatch_finding_first_seen_timestamp_seconds{pod=~"pausewatch-.*"}') == []


def await_fired(prometheus: Prometheus, agent: Agent, node: str) -> set[tuple[str, str, str]]:
    """Wait until each alert that should has fired at some time; return those that have not in time."""
    missing: set[tuple[str, str, str]] = set()

    def all_fired() -> bool:
        missing.clear()
        missing.update((ABOUT_PODS | ABOUT_NODES) - fired(prometheus, node))
        return not missing

    with suppress(WaitTimeoutError):
        agent.wait("alerts to fire", all_fired, FIRING_SECONDS)
    return missing


def answer(prometheus: Prometheus, expression: str) -> list[Series]:
    """Return the answer to a question that has one."""
    return wait_until(f"data for {expression}", lambda: prometheus.query(expression), ANSWER_SECONDS)


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
        if "record" in rule:
            answer(prometheus, rule["expr"])
            continue
        alert = rule["alert"], rule["labels"]["severity"]
        seen.add(alert)
        assert (alert in present) != (alert in NEVER_SEEN), alert
        if alert in NEVER_SEEN:
            what = f"{alert} to be silent, although {NEVER_SEEN[alert]}"
            wait_until(what, partial(is_silent, prometheus, rule["expr"]), ANSWER_SECONDS)
        elif alert[0] != "PausewatchReportWritesFailing":
            # Failed writes of an agent become rarer, and fall out of the window: that it fired was seen.
            answer(prometheus, rule["expr"])
    assert present <= seen


def is_silent(prometheus: Prometheus, expression: str) -> bool:
    """Whether an alert's expression finds nothing; about the machine others may be right, who use it beside us."""
    return not [one for one in prometheus.query(expression) if "pod" in one or "check" not in one]


def panels_have_data(prometheus: Prometheus, node: str) -> None:
    """Ask every query of both dashboards, and for the values of their variables."""
    values = {"cluster": ".*", "node": node, "namespace": ".*", "__rate_interval": "10s"}
    for dashboard in (FLEET, NODE):
        for panel in dashboard.panels:
            for query in panel.queries:
                found = answer(prometheus, concrete(query.expression, values))
                labels = set(re.findall(r"{{(\w+)}}", query.legend))
                assert any(labels <= one.keys() for one in found), f"{panel.title}: {query.legend}"
        for variable in dashboard.variables:
            asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable.values)
            assert asked, variable
            found = answer(prometheus, concrete(asked[1], values))
            # This Prometheus has one cluster, and no label for it: the variable is empty, and everything matches.
            assert any(asked[2] in one for one in found) == (asked[2] != "cluster"), variable


def described(prometheus: Prometheus, node: str) -> None:
    """Hold what people get to naming the container, the node, since when, and what to type."""
    wanted = {"alertname": "PausewatchNamespaceNotShared", "node": node}

    def probe() -> list[dict[str, Any]]:
        return [one for one in prometheus.alerts() if wanted.items() <= one["labels"].items()]

    (alert,) = wait_until("the alert", probe, ANSWER_SECONDS)
    description = alert["annotations"]["description"]
    assert description.startswith(
        f"lab/torn/app on node {node}: the container is in a Linux namespace that belongs to no"
    )
    assert re.search(r", since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", description)
    assert f"kubectl get psr {node} --output yaml" in description
    assert alert["annotations"]["runbook_url"].endswith("/checks/namespace-not-shared"), json.dumps(alert)
