"""What Prometheus' own tester is asked of each alert: not too early, in time, over again, silent when nobody tells.

Minutes are minutes of the test, which begins at the Unix time 0; series are in promtool's notation: ``1x3 0x2 stale``
is 1 four times, 0 three times, and then the mark that Prometheus leaves where a target or series has gone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.alert_rules import FIRST_SEEN, Rule, agent_rules, describe_finding, finding_rules, lasting_seconds
from pausewatch.checks._check import all_checks

NODE = {"cluster": "east", "node": "node-7"}
SUBJECTS: Mapping[str, Mapping[str, str]] = {
    "shop/cart/app on node node-7": {"namespace": "shop", "pod": "cart", "container": "app"},
    "shop/cart on node node-7": {"namespace": "shop", "pod": "cart"},
    "node node-7": {},
}
"""What a finding may be about, by what the alert calls it."""

FIRST_SEEN_AT = 1767225600
FIRST_SEEN_TEXT = "2026-01-01 00:00:00 +0000 UTC"

Case = dict[str, Any]


def case(rules: tuple[Rule, ...], series: Mapping[str, str], expected: Mapping[int, list[Case]]) -> Case:
    """Return a test of alerts of one name.

    Args:
        rules: Of that name.
        series: Values by series.
        expected: The alerts that fire, by minute.
    """
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": rules[0].name, "exp_alerts": alerts}
            for minute, alerts in expected.items()
        ],
    }


def told(rule: Rule, labels: Mapping[str, str], description: str) -> Case:
    """Return an alert as Prometheus sends it."""
    return {
        "exp_labels": {"severity": rule.severity.lower(), **labels},
        "exp_annotations": {
            "summary": rule.summary,
            "description": description,
            "runbook_url": rule.runbook_url,
        },
    }


def finding_cases(rule: Rule) -> Iterator[Case]:
    """Yield the tests of one alert about findings."""
    delay, keep = rule.delay_seconds // 60, rule.keep_firing_seconds // 60
    (check,) = [one for one in all_checks() if any(reason.name == rule.reason for reason in one.reasons)]
    alerts = [
        told(
            rule,
            {**NODE, "check": check.id, **labels},
            describe_finding(check.reason(rule.reason), subject, NODE["node"], FIRST_SEEN_TEXT),
        )
        for subject, labels in SUBJECTS.items()
    ]

    def series(values: str, instance: str) -> dict[str, str]:
        fixed = {"check": check.id, "reason": rule.reason, "severity": str(rule.severity), "job": "pausewatch"}
        return {
            _series(FIRST_SEEN, {**fixed, **NODE, **labels, "instance": instance}): values
            for labels in SUBJECTS.values()
        }

    lasting = f"{FIRST_SEEN_AT}x{delay + 10} stale"
    healed = delay + 11
    yield case(
        (rule,),
        series(lasting, "10.0.0.7:7287"),
        {delay - 1: [], delay: alerts, healed + keep - 1: alerts, healed + keep: []},
    )
    # Gone before its time: healed, or the agent went away. Nobody is told.
    yield case((rule,), series(f"{FIRST_SEEN_AT}x{delay - 2} stale", "10.0.0.7:7287"), {delay - 1: [], delay + 10: []})
    # The agent is restarted, with another address, and tells it again when it is sure: one alert, all the time.
    away = int(lasting_seconds(check) // 60) + 3
    before = series(f"{FIRST_SEEN_AT}x{delay} stale", "10.0.0.7:7287")
    after = series(f"_x{delay + away} {FIRST_SEEN_AT}x10", "10.0.0.8:7287")
    yield case((rule,), before | after, {delay + away - 1: alerts, delay + away + keep: alerts})


def agent_cases(name: str) -> Iterator[Case]:
    """Yield the tests of the alerts about agents that have this name."""
    rules = tuple(rule for rule in agent_rules() if rule.name == name)
    yield from {
        "PausewatchDown": _down,
        "PausewatchScanStale": _stale,
        "PausewatchRuntimeUnreachable": _unreachable,
        "PausewatchSourceDown": _source_down,
        "PausewatchReportWritesFailing": _failing,
    }[name](rules)


def cases() -> Mapping[str, tuple[Case, ...]]:
    """Return the tests of every alert, by name."""
    found: dict[str, tuple[Case, ...]] = {}
    for rule in finding_rules():
        found[rule.name] = (*found.get(rule.name, ()), *finding_cases(rule))
    return found | {rule.name: tuple(agent_cases(rule.name)) for rule in agent_rules()}


def promtool_tests() -> list[Case]:
    """Return all of them as promtool takes them; what goes on at the same minutes, in one test: each costs it time."""
    together: dict[tuple[int, int], Case] = {}
    for rule in finding_rules():
        for number, one in enumerate(finding_cases(rule)):
            merged = together.setdefault(
                (rule.delay_seconds, number), {"interval": "1m", "input_series": [], "alert_rule_test": []}
            )
            merged["input_series"] += one["input_series"]
            merged["alert_rule_test"] += one["alert_rule_test"]
    of_agents = {rule.name: agent_cases(rule.name) for rule in agent_rules()}
    return [*together.values(), *(one for cases_of_name in of_agents.values() for one in cases_of_name)]


def _down(rules: tuple[Rule, ...]) -> Iterator[Case]:
    every, one = rules
    of_node = told(one, NODE, _of_node(one))
    of_all = told(every, {}, every.description)
    up = _series("up", {"job": "pausewatch", **NODE})
    other = _series("up", {"job": "pausewatch", "cluster": "east", "node": "node-8"})
    foreign = _series("up", {"job": "node-exporter", "cluster": "east", "node": "node-9"})
    yield case(rules, {up: "1x10 0x30 1x10", other: "1x60", foreign: "0x60"}, {25: [], 26: [of_node], 42: []})
    # The only agent there is: nobody looks at anything.
    yield case(rules, {up: "1x10 0x30 1x10"}, {25: [], 26: [of_all, of_node], 42: []})
    # A node that was removed is no target any more; an agent that no target is left of is what the second rule tells.
    yield case(rules, {up: "1x3 0x5 stale", other: "1x60"}, {15: [], 40: []})
    yield case(rules, {up: "1x10 stale"}, {25: [], 26: [of_all]})


def _stale(rules: tuple[Rule, ...]) -> Iterator[Case]:
    (rule,) = rules
    alert = told(rule, NODE, _of_node(rule))
    success = _series("pausewatch_last_scan_success_timestamp_seconds", NODE)
    period = _series("pausewatch_scan_period_seconds", NODE)
    # The last scan at minute 10: five minutes later it is as old as it may be.
    yield case(rules, {success: "0+60x10 600x39 3060+60x10", period: "30x70"}, {20: [], 21: [alert], 52: []})
    # A node whose clock is seven minutes behind: its scans come to an end all the time.
    yield case(rules, {success: "-420+60x40 stale", period: "30x40 stale"}, {20: [], 40: []})
    # With a period of five minutes, fifty minutes.
    yield case(rules, {success: "0+60x10 600x80", period: "300x100"}, {65: [], 66: [alert]})
    # An agent that never completed a scan.
    yield case(rules, {period: "30x30 stale"}, {4: [], 5: [alert], 32: []})
    yield case(rules, {success: "0+60x10 600x7 stale", period: "30x17 stale"}, {21: [], 40: []})


def _unreachable(rules: tuple[Rule, ...]) -> Iterator[Case]:
    (rule,) = rules
    alert = told(rule, NODE, _of_node(rule))
    runtime = _series("pausewatch_source_up", {"source": "runtime", **NODE})
    pods = _series("pausewatch_source_up", {"source": "pods", **NODE})
    yield case(rules, {runtime: "1x5 0x20 1x5", pods: "0x60"}, {10: [], 11: [alert], 27: []})
    yield case(rules, {runtime: "0x3 stale"}, {5: [], 10: []})


def _source_down(rules: tuple[Rule, ...]) -> Iterator[Case]:
    (rule,) = rules
    alert = told(rule, NODE, _of_node(rule))
    pods, processes, runtime = (
        _series("pausewatch_source_up", {"source": source, **NODE}) for source in ("pods", "processes", "runtime")
    )
    yield case(
        rules, {pods: "1x5 0x40 1x5", processes: "1x60", runtime: "0x60"}, {35: [], 36: [alert], 45: [alert], 47: []}
    )
    yield case(rules, {pods: "1x60", processes: "0x40"}, {29: [], 30: [alert]})
    # An outage of the API server for a quarter of an hour, and an agent that is gone.
    yield case(rules, {pods: "1x5 0x15 1x40", processes: "1x60"}, {20: [], 50: []})
    yield case(rules, {pods: "0x20 stale", processes: "1x20 stale"}, {25: [], 50: []})


def _failing(rules: tuple[Rule, ...]) -> Iterator[Case]:
    (rule,) = rules
    alert = told(rule, NODE, _of_node(rule))
    errors = _series("pausewatch_report_write_errors_total", NODE)
    writes = _series("pausewatch_report_writes_total", NODE)
    # An attempt each five minutes from minute 30 on, the last write at minute 29, the next one at minute 90.
    attempts = "0x29 " + " ".join(f"{number}x4" for number in range(1, 20))
    yield case(
        rules, {errors: attempts, writes: "0x9 1x9 2x8 3x60 4x60"}, {49: [], 52: [], 65: [alert], 88: [alert], 92: []}
    )
    # One error, and a heartbeat in its time.
    yield case(rules, {errors: "0x29 1x60", writes: "0x9 1x9 2x20 3x60"}, {60: [], 80: []})
    # Never written since the start.
    yield case(rules, {errors: "0 1 2 3 4x2 5x4 6x4 7x4", writes: "0x30"}, {11: [], 18: [alert]})
    yield case(rules, {errors: "0+1x12 stale", writes: "0x12 stale"}, {13: [], 20: [], 25: []})


def _of_node(rule: Rule) -> str:
    return rule.description.replace("{{ $labels.node }}", NODE["node"])


def _series(metric: str, labels: Mapping[str, str]) -> str:
    pairs = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{pairs}}}"
