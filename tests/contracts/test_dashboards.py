"""A lint of the dashboards, after that of Grafana (grafana/dashboard-linter), and what it can not know: our metrics."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.alert_rules import RECORDED, agent_rules, finding_rules
from contracts.dashboard_model import COLUMNS, Dashboard, Kind, Panel, concrete, render_dashboard
from contracts.exported import FAMILY_NAMES, metrics_in, unknown_metrics
from contracts.fleet_dashboard import FLEET
from contracts.node_dashboard import NODE
from e2e.support.promtool import complaints_about_rules, ensure_promtool
from pausewatch.checks._check import all_checks
from pausewatch.sinks.metric_families import FAMILIES
from pausewatch.sinks.metric_families import Kind as MetricKind

DASHBOARDS = (FLEET, NODE)
UNITS = {"short", "none", "s", "bytes", "percentunit", "ops", "reqps", "dateTimeFromNow"}
"""Those that Grafana knows and we use."""

ANY = {"cluster": ".*", "node": "node-7", "namespace": ".*", "__rate_interval": "5m"}

each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
each_panel = pytest.mark.parametrize(
    ("dashboard", "panel"),
    [(dashboard, panel) for dashboard in DASHBOARDS for panel in dashboard.panels],
    ids=lambda one: getattr(one, "uid", "") or one.title,
)


def queries() -> list[str]:
    """Return all queries of all dashboards."""
    return [query.expression for one in DASHBOARDS for panel in one.panels for query in panel.queries]


def parts(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401  any JSON
    """Return every object inside of a JSON document."""
    if isinstance(value, list):
        return [part for one in value for part in parts(one)]
    if isinstance(value, dict):
        return [value, *(part for one in value.values() for part in parts(one))]
    return []


@each_dashboard
def test_one_data_source_is_asked_and_it_can_be_chosen(dashboard: Dashboard) -> None:
    """A uid of somebody's own Grafana in one panel would leave that panel empty everywhere else."""
    document = json.loads(render_dashboard(dashboard))

    variables = document["templating"]["list"]
    assert [one["name"] for one in variables if one["type"] == "datasource"] == ["datasource"]
    assert {json.dumps(one["datasource"]) for one in parts(document) if "datasource" in one} == {
        json.dumps({"type": "prometheus", "uid": "${datasource}"})
    }
    assert "id" not in document
    assert document["editable"] is False
    assert re.fullmatch(r"[a-z-]{1,40}", document["uid"])


@each_dashboard
def test_variables_are_used_and_follow_the_time(dashboard: Dashboard) -> None:
    """Cluster and Kubernetes namespace may be all; which clusters and nodes there are depends on the time shown."""
    document = json.loads(render_dashboard(dashboard))

    asked = [one for one in document["templating"]["list"] if one["type"] == "query"]
    wanted = {"cluster", "namespace", *({"node"} if dashboard is NODE else ())}
    assert {one["name"] for one in asked} == wanted
    assert all(one["refresh"] == 2 for one in asked)
    assert [one["name"] for one in asked if not one.get("includeAll")] == (["node"] if dashboard is NODE else [])
    for one in dashboard.variables:
        assert unknown_metrics(one.values) == set()
        assert any(f"${one.name}" in query.expression for panel in dashboard.panels for query in panel.queries)


@each_dashboard
def test_panels_stand_beside_and_below_each_other(dashboard: Dashboard) -> None:
    """None covers another, all have a number of their own, each row fills the width."""
    panels = json.loads(render_dashboard(dashboard))["panels"]
    places = [one["gridPos"] for one in panels]

    assert len({one["id"] for one in panels}) == len(panels)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or below, (a, b)
    for top in {one["y"] for one in places}:
        assert sum(one["w"] for one in places if one["y"] == top) == COLUMNS


@each_panel
def test_panel_explains_itself(dashboard: Dashboard, panel: Panel) -> None:
    """Title, a description, a unit that Grafana knows, a query; runbooks that exist."""
    assert panel.title
    assert re.fullmatch(r"[A-Z].+\.", panel.description)
    assert panel.unit in UNITS
    assert {column.unit for column in panel.columns} <= {"", *UNITS}
    assert panel.queries
    assert set(panel.checks) <= {check.id for check in all_checks()}
    assert [one.title for one in dashboard.panels].count(panel.title) == 1


@each_panel
def test_panel_asks_for_what_there_is(dashboard: Dashboard, panel: Panel) -> None:
    """Of metrics that the agent has, of the chosen cluster and node; rates of counters, over Grafana's interval."""
    own = 'cluster=~"$cluster"' + (', node="$node"' if dashboard is NODE else "")
    counters = {one.name for one in FAMILIES if one.kind is MetricKind.COUNTER} | {"process_cpu_seconds_total"}
    for query in panel.queries:
        expression = query.expression
        assert unknown_metrics(expression) == set()
        selectors = re.findall(r"\{([^}]*)\}", expression)
        assert selectors
        assert all(selector.startswith(own) for selector in selectors), expression
        assert set(re.findall(r"\[([^]]*)\]", expression)) <= {"$__rate_interval"}
        rated = {name for name in metrics_in(expression) if re.search(rf"rate\({name}\{{", expression)}
        assert rated == metrics_in(expression) & counters, expression


@each_panel
def test_table_shows_columns_that_its_queries_have(dashboard: Dashboard, panel: Panel) -> None:
    """What is shown is a label that is kept, or the value; what it is sorted by is shown."""
    if panel.kind is not Kind.TABLE:
        assert not panel.columns
        assert not panel.sorted_by
        return
    kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", panel.queries[0].expression))))
    assert {column.label for column in panel.columns} <= kept | {query.legend for query in panel.queries}
    assert {title for title, _ in panel.sorted_by} <= {column.title for column in panel.columns}
    assert panel.sorted_by, dashboard.uid


def test_the_dashboards_lead_to_each_other_and_to_runbooks() -> None:
    """From the fleet to a node by its name; from a finding to its page."""
    to_node = [column.link for panel in FLEET.panels for column in panel.columns if column.label == "node"]
    to_page = [column.link for one in DASHBOARDS for panel in one.panels for column in panel.columns if column.link]

    assert to_node
    assert all(link.startswith(f"/d/{NODE.uid}?var-node=${{__value.text}}&") for link in to_node)
    assert any("/checks/${__value.text}" in link for link in to_page)
    assert [url.partition("?")[0] for _, url in (*FLEET.links, *NODE.links)] == [f"/d/{NODE.uid}", f"/d/{FLEET.uid}"]


def test_every_reason_is_in_one_graph_of_the_fleet() -> None:
    """One that a new check brings as well; and each reason that a graph asks for is one."""
    shown = [
        reason
        for panel in FLEET.panels
        if panel.kind is Kind.TIME_SERIES
        for query in panel.queries
        for matcher in re.findall(r'reason=~"([^"]*)"', query.expression)
        for reason in matcher.split("|")
    ]

    assert sorted(shown) == sorted(reason.name for check in all_checks() for reason in check.reasons)


def test_every_metric_is_used() -> None:
    """By a panel, an alert or a recorded series: what helps nobody need not be exported by 5,000 nodes."""
    recorded = metrics_of(RECORDED.values())
    used = metrics_of((*queries(), *(rule.expression for rule in (*finding_rules(), *agent_rules())))) | recorded

    assert used >= FAMILY_NAMES
    assert RECORDED.keys() <= used


def metrics_of(expressions: Any) -> set[str]:  # noqa: ANN401  any texts
    """Return the metrics in all of them."""
    return {name for expression in expressions for name in metrics_in(expression)}


@pytest.mark.lab
def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    """Its own parser takes each as the expression of a rule."""
    rules = [
        {"record": f"query:{number}", "expr": concrete(expression, ANY)} for number, expression in enumerate(queries())
    ]
    assert not [rule["expr"] for rule in rules if "$" in str(rule["expr"])]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    assert complaints_about_rules(ensure_promtool(), file) == ""
