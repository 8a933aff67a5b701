"""Dashboards as values, and the JSON that Grafana imports (10 or later; its dashboard JSON model, schema version 39).

A panel is its queries and what they mean; where they stand follows from their order and width. Variables stay in the
queries as Grafana knows them; ``concrete`` puts values there for whoever asks Prometheus itself.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pausewatch.sinks.report import RUNBOOK_URL

COLUMNS = 24
"""Of Grafana's grid."""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
KEPT_IN_LINKS = "${datasource:queryparam}&${cluster:queryparam}"
"""What a person has chosen. In links of cells the time has to be added; Grafana does so in those of a dashboard."""

Json = dict[str, Any]


class Kind(StrEnum):
    """How a panel shows its answers; the value is Grafana's type."""

    STAT = "stat"
    TIME_SERIES = "timeseries"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question to Prometheus."""

    expression: str
    legend: str
    """Of the series; in a table, the title of the column that the value is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel."""

    title: str
    description: str
    """What it shows, and what a bad value means."""

    kind: Kind
    unit: str
    """Of Grafana's list."""

    width: int
    height: int
    queries: tuple[Query, ...]
    steps: tuple[tuple[float, str], ...] = ()
    """From which value on which colour; below the first it is green."""

    value_texts: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """What is shown instead of a value, and its colour."""

    when_empty: str = ""
    """What is shown where there is no answer."""

    checks: tuple[str, ...] = ()
    """Whose runbooks the panel links to."""

    columns: tuple["Column", ...] = ()
    """Of a table, in their order; other labels are not shown."""

    sorted_by: tuple[tuple[str, bool], ...] = ()
    """Of a table: titles of columns, and whether the largest comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table."""

    label: str
    """Of the series, or the legend of a query."""

    title: str
    unit: str = ""
    link: str = ""
    """Where its cells lead; empty for nowhere."""

    link_title: str = ""
    colors: Mapping[str, str] = field(default_factory=dict)
    """Of texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A heading and the panels below it."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What a person chooses at the top of a dashboard."""

    name: str
    label: str
    values: str
    """The question to Prometheus whose answers one may choose from."""

    can_be_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    links: tuple[tuple[str, str], ...]
    """Titles and addresses of what it leads to."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in their order."""
        return tuple(panel for row in self.rows for panel in row.panels)


def runbook(check: str) -> str:
    """Return where a check's page is; ``check`` may be a variable of Grafana."""
    return RUNBOOK_URL.format(check=check)


def concrete(expression: str, values: Mapping[str, str]) -> str:
    """Return a query with values in the place of its variables."""
    for name in sorted(values, key=len, reverse=True):
        expression = expression.replace(f"${name}", values[name])
    return expression


def render_dashboard(dashboard: Dashboard) -> str:
    """Return the JSON that Grafana imports."""
    document = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["pausewatch", "kubernetes"],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "schemaVersion": 39,
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "utc",
        "links": [
            {"title": title, "url": url, "type": "link", "keepTime": True, "targetBlank": False}
            for title, url in dashboard.links
        ],
        "templating": {"list": [_SOURCE_VARIABLE, *map(_variable, dashboard.variables)]},
        "panels": list(_placed(dashboard)),
    }
    return json.dumps(document, indent=2) + "\n"


_SOURCE_VARIABLE: Json = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "refresh": 1,
}


def _variable(one: Variable) -> Json:
    everything: Json = {"includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return {
        "name": one.name,
        "label": one.label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": one.values, "refId": one.name},
        "refresh": 2,
        "sort": 1,
        **(everything if one.can_be_all else {}),
    }


def _placed(dashboard: Dashboard) -> Iterator[Json]:
    number, top = 0, 0
    for row in dashboard.rows:
        number += 1
        place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": place}
        left, top, height = 0, top + 1, 0
        for panel in row.panels:
            number += 1
            if left + panel.width > COLUMNS:
                left, top, height = 0, top + height, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            left, height = left + panel.width, max(height, panel.height)
        top += height


def _panel(panel: Panel) -> Json:
    is_table = panel.kind is Kind.TABLE
    look = {Kind.STAT: _stat, Kind.TIME_SERIES: _time_series, Kind.TABLE: _table}[panel.kind](panel)
    defaults = look.pop("defaults")
    steps = [{"color": color, "value": value} for value, color in ((None, "green"), *panel.steps)]
    return {
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "links": [_link(f"Runbook: {check}", runbook(check)) for check in panel.checks],
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": query.expression,
                "legendFormat": "" if is_table else query.legend,
                "instant": panel.kind is not Kind.TIME_SERIES,
                "range": panel.kind is Kind.TIME_SERIES,
                **({"format": "table"} if is_table else {}),
            }
            for number, query in enumerate(panel.queries)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": {"mode": "absolute", "steps": steps},
                **({"noValue": panel.when_empty} if panel.when_empty else {}),
                **defaults,
            },
            "overrides": look.pop("overrides", []),
        },
        **look,
    }


def _stat(panel: Panel) -> Json:
    texts = {str(value): {"text": text, "color": color} for value, (text, color) in panel.value_texts.items()}
    return {
        "defaults": {"mappings": [{"type": "value", "options": texts}] if texts else []},
        "options": {
            "colorMode": "background" if panel.steps or texts else "none",
            "graphMode": "none",
            "reduceOptions": {"calcs": ["lastNotNull"]},
        },
    }


def _time_series(_: Panel) -> Json:
    return {
        "defaults": {"min": 0, "custom": {"lineWidth": 2, "fillOpacity": 10, "showPoints": "never"}},
        "options": {
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _table(panel: Panel) -> Json:
    letters = {query.legend: f"Value #{chr(ord('A') + number)}" for number, query in enumerate(panel.queries)}
    if len(panel.queries) == 1:
        letters = {panel.queries[0].legend: "Value"}
    names = [letters.get(column.label, column.label) for column in panel.columns]
    arrange = {
        "indexByName": {name: number for number, name in enumerate(names)},
        "renameByName": {name: column.title for name, column in zip(names, panel.columns, strict=True)},
    }
    keep = {"include": {"names": names}}
    return {
        "defaults": {},
        "overrides": [_column(column) for column in panel.columns if column.unit or column.link or column.colors],
        "transformations": [
            {"id": "merge", "options": {}},
            {"id": "filterFieldsByName", "options": keep},
            {"id": "organize", "options": arrange},
        ],
        "options": {"sortBy": [{"displayName": title, "desc": desc} for title, desc in panel.sorted_by]},
    }


def _column(column: Column) -> Json:
    properties: list[Json] = []
    if column.unit:
        properties.append({"id": "unit", "value": column.unit})
    if column.link:
        properties.append({"id": "links", "value": [{"title": column.link_title, "url": column.link}]})
    if column.colors:
        texts = {text: {"text": text, "color": color} for text, color in column.colors.items()}
        properties.append({"id": "mappings", "value": [{"type": "value", "options": texts}]})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": column.title}, "properties": properties}


def _link(title: str, url: str) -> Json:
    return {"title": title, "url": url, "type": "link", "targetBlank": True}
