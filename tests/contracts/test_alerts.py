"""What every alert owes its users: a page that explain shows, a severity, metrics that exist, a test."""

import re
from pathlib import Path

import pytest
import yaml

from contracts.alert_cases import cases, promtool_tests
from contracts.alert_rules import RECORDED, Rule, agent_rules, finding_rules, render_rules
from contracts.exported import metrics_in, unknown_metrics
from contracts.render import REPOSITORY
from e2e.support.promtool import complaints_about_rules, complaints_of_rule_tests, ensure_promtool
from pausewatch.alerts.agent_alerts import AGENT_ALERTS, AgentAlert, agent_alert_pages
from pausewatch.checks._check import all_checks
from pausewatch.cli.explain import find
from pausewatch.model.report import Severity

RULES = (*finding_rules(), *agent_rules())
PACKAGE = REPOSITORY / "operator" / "pausewatch"
SECTIONS_OF_A_PAGE = ("Meaning", "Impact", "Diagnosis", "Mitigation")

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}-{rule.severity}")


def test_every_reason_that_asks_for_something_has_its_alert() -> None:
    """With the same severity; what is only for information has none."""
    wanted = {
        (f"Pausewatch{reason.name}", severity)
        for check in all_checks()
        for reason in check.reasons
        for severity in reason.severities
        if severity is not Severity.INFO
    }

    assert {(rule.name, rule.severity) for rule in finding_rules()} == wanted
    assert len(RULES) == len(wanted) + len(AGENT_ALERTS)


@each_rule
def test_alert_is_complete(rule: Rule) -> None:
    """Prometheus takes it as it is meant: a severity, a page, a time in whole minutes, a sentence without variables."""
    assert rule.severity in (Severity.CRITICAL, Severity.WARNING)
    assert rule.delay_seconds % 60 == rule.keep_firing_seconds % 60 == 0 < rule.delay_seconds
    assert find(rule.name) == (PACKAGE / rule.page).read_text()
    assert rule.runbook_url.startswith("https://")
    assert re.fullmatch(r"[A-Z][^{}$]+\.", rule.summary)
    assert re.search(r"kubectl [a-z]+ ", rule.description)


@each_rule
def test_alert_rests_on_metrics_that_the_agent_has(rule: Rule) -> None:
    """A misspelt metric never fires, and nobody notices until a fault stays untold."""
    assert metrics_in(rule.expression)
    assert unknown_metrics(rule.expression) == set()
    assert "by (cluster, node" in rule.expression or rule.expression.startswith("absent(")


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_series_rest_on_metrics_that_the_agent_has(name: str) -> None:
    """Its name says the level and the metric: level:metric:operation."""
    level, metric, operation = name.split(":")

    assert metrics_in(RECORDED[name]) == {metric}
    assert unknown_metrics(RECORDED[name]) == set()
    assert RECORDED[name].startswith(f"{operation} by ({', '.join(level.split('_'))})")


@pytest.mark.parametrize("alert", agent_alert_pages().values(), ids=lambda alert: alert.name)
def test_page_about_an_agent_has_every_section(alert: AgentAlert) -> None:
    """In the order that the runbooks of Prometheus' community have."""
    page = (PACKAGE / "alerts" / alert.page).read_text()
    _, *rest = re.split(r"^## (.+)$", page, flags=re.MULTILINE)

    assert page.startswith(f"# {alert.name}\n\n{alert.summary}\n")
    assert tuple(rest[::2]) == SECTIONS_OF_A_PAGE
    assert all(text.strip() for text in rest[1::2])


def test_every_alert_is_tested() -> None:
    """Each is silent, fires and is silent again in its first test; each has one in which its series vanish."""
    tests = cases()

    assert set(tests) == {rule.name for rule in RULES}
    for name, of_alert in tests.items():
        severities = {
            alert["exp_labels"]["severity"]
            for test in of_alert
            for moment in test["alert_rule_test"]
            for alert in moment["exp_alerts"]
        }
        assert severities == {rule.severity.lower() for rule in RULES if rule.name == name}
        for test in of_alert[:1]:
            first, *_, last = test["alert_rule_test"]
            assert first["exp_alerts"] == last["exp_alerts"] == [], name
        vanishing = [
            test
            for test in of_alert
            if any("stale" in series["values"] for series in test["input_series"])
            and not any(moment["exp_alerts"] for moment in test["alert_rule_test"])
        ]
        assert vanishing, f"{name} is never seen to stay silent when its series vanish"


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Prometheus' checker and tester of rules."""
    return ensure_promtool()


@pytest.mark.lab
def test_prometheus_takes_the_rules(promtool: Path, tmp_path: Path) -> None:
    """Its own parser has nothing to say against them."""
    file = tmp_path / "alerts.yaml"
    file.write_text(render_rules())

    assert complaints_about_rules(promtool, file) == ""


@pytest.mark.lab
def test_alerts_fire_when_they_should(promtool: Path, tmp_path: Path) -> None:
    """All tests of all alerts, with the texts that people get."""
    (tmp_path / "alerts.yaml").write_text(render_rules())
    tests = tmp_path / "tests.yaml"
    document = {
        "rule_files": ["alerts.yaml"],
        "evaluation_interval": "1m",
        "tests": promtool_tests(),
    }
    tests.write_text(yaml.safe_dump(document, sort_keys=False))

    assert complaints_of_rule_tests(promtool, tests) == ""
