"""Alerts about agents: one page per name, and the numbers of the program."""

from importlib.resources import files

from pausewatch import alerts
from pausewatch.agent.health import LEAST_SECONDS_WITHOUT_SCAN, PERIODS_WITHOUT_SCAN
from pausewatch.alerts.agent_alerts import AGENT_ALERTS, ALERT_PREFIX, agent_alert_pages
from pausewatch.cluster.write_schedule import LONGEST_RETRY_SECONDS
from pausewatch.model.settings import Settings


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    """Rules of one name differ in severity and share a page."""
    pages = {entry.name for entry in files(alerts).iterdir() if entry.name.endswith(".md")}

    assert pages == {alert.page for alert in AGENT_ALERTS}
    assert len({(alert.name, alert.severity) for alert in AGENT_ALERTS}) == len(AGENT_ALERTS)
    assert agent_alert_pages().keys() == {alert.name for alert in AGENT_ALERTS}
    assert all(alert.name.startswith(ALERT_PREFIX) and alert.why_delay for alert in AGENT_ALERTS)


def test_stale_scan_is_what_liveness_takes_for_one() -> None:
    """An alert that came before the kubelet's restart would tell people of what mends itself."""
    stale = agent_alert_pages()["PausewatchScanStale"]

    assert f"clamp_min({PERIODS_WITHOUT_SCAN} * " in stale.expression
    assert f", {LEAST_SECONDS_WITHOUT_SCAN:g})" in stale.expression


def test_window_of_failing_writes_holds_attempts_and_heartbeats() -> None:
    """More than two attempts fail in it at the longest wait between them, and a heartbeat would show that it works."""
    failing = agent_alert_pages()["PausewatchReportWritesFailing"]
    window_seconds = 20 * 60

    assert failing.expression.count("[20m]") == 2
    assert window_seconds / LONGEST_RETRY_SECONDS > 2
    assert window_seconds > 1.1 * Settings().report_heartbeat_seconds
