"""Which metrics there are to build on, and which of them an expression uses."""

import re

from contracts.alert_rules import RECORDED
from pausewatch.sinks.metric_families import FAMILIES

FAMILY_NAMES = {family.name for family in FAMILIES}

OF_OTHERS = {
    "up": "Prometheus' own, one per target",
    "process_resident_memory_bytes": "the agent's process, from the client library",
    "process_cpu_seconds_total": "the same",
}
"""Metrics that are no family of ours, and whose they are."""


def metrics_in(expression: str) -> set[str]:
    """Return the metrics of a PromQL expression: names outside of quotes that look like ours, or like known ones."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"(?<![\w:])(?:[a-z_]+:pausewatch_\w+:\w+|pausewatch_\w+|process_\w+|up)(?![\w(:])", bare))


def unknown_metrics(expression: str) -> set[str]:
    """Return those of them that nobody exports or records."""
    return metrics_in(expression) - FAMILY_NAMES - OF_OTHERS.keys() - RECORDED.keys()
