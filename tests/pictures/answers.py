"""What a real Prometheus answers to every query of both dashboards, kept for who draws them."""

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from contracts.dashboard_model import Dashboard, Kind, concrete
from contracts.fleet_dashboard import FLEET
from contracts.node_dashboard import NODE
from e2e.support.prometheus import Prometheus

VARIABLE = "PAUSEWATCH_PANEL_ANSWERS"
"""Names the file that tests/e2e/test_prometheus.py writes the answers to."""

DASHBOARDS = (FLEET, NODE)

SHOWN_SECONDS = 120
"""How far back graphs go; the test takes about as long."""

STEP_SECONDS = 1

Answers = dict[str, dict[str, list[dict[str, Any]]]]
"""By the uid of a dashboard and an expression as it stands in a panel: series with ``metric`` and ``values``, or
``value`` where the panel shows the moment."""


def keep_answers(prometheus: Prometheus, node: str, file: Path) -> None:
    """Ask every query of both dashboards, as Grafana would, and write the answers down.

    Raises:
        KeyError: Prometheus refused one.
    """
    values = {"cluster": ".*", "node": node, "namespace": ".*", "__rate_interval": "10s"}
    now = time.time()
    answers: Answers = {one.uid: _answers(prometheus, one, values, now) for one in DASHBOARDS}
    file.write_text(json.dumps({"now": now, "answers": answers}), encoding="utf-8")


def _answers(
    prometheus: Prometheus, dashboard: Dashboard, values: dict[str, str], now: float
) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for panel in dashboard.panels:
        for query in panel.queries:
            asked = {"query": concrete(query.expression, values)}
            if panel.kind is Kind.TIME_SERIES:
                times = {"start": f"{now - SHOWN_SECONDS}", "end": f"{now}", "step": f"{STEP_SECONDS}"}
                path = f"query_range?{urlencode(asked | times)}"
            else:
                path = f"query?{urlencode(asked | {'time': f'{now}'})}"
            found[query.expression] = prometheus.get(path)["data"]["result"]
    return found
