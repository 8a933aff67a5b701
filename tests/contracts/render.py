"""Renders what follows from other files: ``python tests/contracts/render.py`` (``make render``).

manifests/crd.yaml and docs/resource.md from operator/pausewatch/crd.yaml; docs/metrics.md from the table of metrics;
docs/settings.md from the table of settings; docs/pictures/architecture.svg from the import graph; README.md's table of
checks from their declarations, its screens from docs/pictures; parts of the Helm chart by chart.py, its rule file by
alert_rules.py, its dashboards by fleet_dashboard.py and node_dashboard.py. The other manifests are rendered by helm:
manifests.py. test_rendered.py fails when one of them is not what this renders.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from contracts.alert_rules import render_rules
from contracts.chart import render_chart_readme, render_crd_template, render_values_schema
from contracts.dashboard_model import render_dashboard
from contracts.fleet_dashboard import FLEET
from contracts.marks import fill
from contracts.node_dashboard import NODE
from contracts.prometheus_page import render_prometheus_page
from pausewatch.checks._check import Check, all_checks
from pausewatch.setting_table import all_settings, declarations
from pausewatch.setting_values import written
from pausewatch.sinks.metric_families import FAMILIES
from pictures.architecture import render_architecture

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = REPOSITORY / "operator" / "pausewatch" / "crd.yaml"
COMMAND = "make render"
EXAMPLE = "loopback_down.py"
SCREENS = ("scan", "fleet", "report")
"""What people see on a broken node and of its cluster. `make pictures` writes it to docs/pictures, from a real run; in
README.md it stands between marks of its name."""

HEADER = f"Rendered by `{COMMAND}`. Do not edit."

Json = Mapping[str, Any]


def schema() -> Json:
    """Return the schema of a PodSandboxReport."""
    version = yaml.safe_load(SCHEMA.read_text())["spec"]["versions"][0]
    root: Json = version["schema"]["openAPIV3Schema"]
    return root


def fields(node: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every field below a schema with its path; items of a list have ``[]``."""
    if node.get("type") == "array":
        yield from fields(node["items"], f"{path}[]")
    for name, child in node.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        yield inner, child
        yield from fields(child, inner)


def render_crd() -> str:
    """Return the definition as a manifest."""
    definition = yaml.safe_load(SCHEMA.read_text())
    return f"# {HEADER}\n" + yaml.safe_dump(definition, sort_keys=False, width=120)


def render_resource() -> str:
    """Return the page about the fields of the resource."""
    rows = [
        _row(f"`{path}`", _type(node), _bound(node), node.get("description", ""))
        for path, node in fields(schema())
        if path.split(".")[0] in ("spec", "status")
    ]
    head = [
        "# PodSandboxReport",
        "",
        f"<!-- {HEADER} -->",
        "",
        "One per node, cluster-scoped: `kubectl get psr`. Owned by its Node. `metadata.name` equals",
        "`spec.nodeName`. `kubectl explain psr.status` shows the same as this table.",
        "",
        "| field | type | bound | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def render_metrics() -> str:
    """Return the page about the metrics."""
    rows = [
        _row(f"`{one.name}`", one.kind.value, ", ".join(f"`{label}`" for label in one.labels) or "none", one.help)
        for one in FAMILIES
    ]
    head = [
        "# Metrics",
        "",
        f"<!-- {HEADER} -->",
        "",
        "At `/metrics` of the agent, as text and as OpenMetrics. All are of the last scan: a scrape never",
        "starts one, and what a vanished pod had vanishes with it. Metrics about the node are there from the first",
        "scan on, 0 included; a count that could not be taken, because its source is down, is absent. Scrape with",
        "`honorLabels: true`: `namespace`, `pod` and `container` name what a metric is about, not the agent's. The",
        "usual `process_*` metrics of the agent are there too. Scrape configuration, alerts and dashboards:",
        "[prometheus.md](prometheus.md).",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def render_settings() -> str:
    """Return the page about the settings."""
    every = all_settings()
    names = {one: ", ".join(f"`{name}`" for name in one.names) for one in every}
    default = {one: f"`{written(one.default)}`" if one.default != "" else "not set" for one in every}
    scalars = [
        _row(f"`{one.key}`", one.meaning, one.allowed, f"{default[one]}: {one.why}", names[one])
        for one in every
        if one.attribute
    ]
    thresholds = [
        _row(f"`{one.key.removeprefix('thresholds.')}`", one.allowed, f"{default[one]}: {one.why}", names[one])
        for one in every
        if not one.attribute
    ]
    head = [
        "# Settings",
        "",
        f"<!-- {HEADER} -->",
        "",
        "Nobody has to set anything. A flag wins over an environment variable, that over the settings file, that over",
        "the default. Every value that is given is checked, also one that another overrides; all mistakes are told at",
        "once, and nothing runs with a wrong one. The settings file is YAML, named by `--settings` or",
        "`PAUSEWATCH_SETTINGS`:",
        "",
        "```yaml",
        "scanPeriodSeconds: 60",
        "thresholds:",
        "  zombie-buildup: {zombies: 50}",
        "ignore:",
        "- {check: namespace-not-shared, namespace: ci}",
        "```",
        "",
        "`pausewatch agent --print-settings` shows what is in force, where each value comes from, and why its default",
        "is what it is. It needs no API server, runtime or root, so it runs anywhere that has the agent's flags,",
        "variables and file: with `kubectl exec` in its container, which has the last two. What it prints is a",
        "settings file that makes the same settings. The flags are those of `agent`; other commands have fewer.",
        "",
        "| key in the file | meaning | allowed | default, and why | flags and variables |",
        "|---|---|---|---|---|",
    ]
    return "\n".join(
        (
            *head,
            *scalars,
            "",
            "## Thresholds",
            "",
            f"{declarations()['thresholds'].meaning} In the file, below `thresholds`.",
            "",
            "| check and name | allowed | default, and why | flags and variables |",
            "|---|---|---|---|",
            *thresholds,
            "",
            "## Known cases",
            "",
            f"`ignore` in the file. {declarations()['ignore'].meaning}",
            f"By default {declarations()['ignore'].why}.",
            "",
        )
    )


def render_example() -> str:
    """Return the page about adding a check, with a real one: the text around the two marks is written by hand."""
    source = (REPOSITORY / "operator" / "pausewatch" / "checks" / EXAMPLE).read_text()
    run = source[source.index("def run(") : source.index("\n\n\n", source.index("def run("))]
    declared = source[source.index("CHECK = ") :].rstrip()
    text = f"```python\n{run}\n\n\n{declared}\n```"
    page = (REPOSITORY / "docs" / "adding-a-check.md").read_text()
    return fill(page, "example", text)


def render_readme() -> str:
    """Return README.md with its table of checks and its real screens: the text around the marks is written by hand."""
    table = "\n".join(
        ("| check | reasons (severity) | title |", "|---|---|---|", *(row_of_check(one) for one in all_checks()))
    )
    readme = fill((REPOSITORY / "README.md").read_text(), "checks", table)
    for name in SCREENS:
        screen = (REPOSITORY / "docs" / "pictures" / f"{name}.txt").read_text().rstrip()
        readme = fill(readme, name, f"```\n{screen}\n```")
    return readme


def row_of_check(check: Check) -> str:
    """Return a check's row of the table."""
    reasons = ", ".join(
        f"{reason.name} ({', '.join(severity.value for severity in reason.severities)})" for reason in check.reasons
    )
    return _row(f"[{check.id}](operator/pausewatch/checks/{check.page})", reasons, check.title)


RENDERED = {
    "README.md": render_readme,
    "manifests/crd.yaml": render_crd,
    "docs/resource.md": render_resource,
    "docs/metrics.md": render_metrics,
    "docs/adding-a-check.md": render_example,
    "docs/settings.md": render_settings,
    "docs/prometheus.md": render_prometheus_page,
    "docs/pictures/architecture.svg": render_architecture,
    "charts/pausewatch/files/alerts.yaml": lambda: f"# {HEADER}\n{render_rules()}",
    "charts/pausewatch/files/dashboards/fleet.json": lambda: render_dashboard(FLEET),
    "charts/pausewatch/files/dashboards/node.json": lambda: render_dashboard(NODE),
    "charts/pausewatch/README.md": render_chart_readme,
    "charts/pausewatch/templates/crd.yaml": render_crd_template,
    "charts/pausewatch/values.schema.json": render_values_schema,
}


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _type(node: Json) -> str:
    if "enum" in node:
        return " or ".join(f"`{value}`" for value in node["enum"])
    return {"date-time": "time"}.get(node.get("format", ""), node["type"])


def _bound(node: Json) -> str:
    if "maxItems" in node:
        return f"{node['maxItems']} items"
    return f"{node['maxLength']} characters" if "maxLength" in node else ""


if __name__ == "__main__":
    for target, renderer in RENDERED.items():
        path = REPOSITORY / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(renderer())
        sys.stdout.write(f"wrote {target}\n")
