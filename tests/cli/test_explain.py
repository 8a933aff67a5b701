from importlib.resources import files

import pytest

from cli.running import run
from pausewatch import alerts, checks
from pausewatch.alerts.agent_alerts import agent_alert_pages
from pausewatch.checks._check import all_checks


def test_every_check_is_found_by_id_reason_and_alert() -> None:
    """One vocabulary everywhere; whatever a person copied from an alert or a report works."""
    for check in all_checks():
        page = files(checks).joinpath(check.page).read_text()
        for name in (check.id, *(reason.name for reason in check.reasons)):
            assert run("explain", name).stdout == page
            assert run("explain", f"Pausewatch{name}".upper()).stdout == (page if name != check.id else "")


def test_alert_about_an_agent_has_a_page_too() -> None:
    """Whoever is told that an agent is down has no cluster to look it up in."""
    told = run("explain").stdout
    for alert in agent_alert_pages().values():
        assert run("explain", alert.name).stdout == files(alerts).joinpath(alert.page).read_text()
        assert f"{alert.name}  {alert.summary}" in told


def test_list_holds_everything_that_a_check_declares() -> None:
    """Reasons with severity, and thresholds the way they are set."""
    told = run("explain")

    assert told.code == 0
    for check in all_checks():
        assert check.title in told.stdout
        for reason in check.reasons:
            line = next(line for line in told.stdout.splitlines() if line.strip().startswith(reason.name))
            assert all(severity.value in line for severity in reason.severities)
            assert reason.meaning in line
        for threshold in check.thresholds:
            assert f"--set {check.id}.{threshold.name}={threshold.default:g}  ({threshold.unit})" in told.stdout


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ZombieBuildUps", "did you mean ZombieBuildup?"),
        ("churn", "did you mean sandbox-churn?"),
        ("PausewatchZombieBuild", "did you mean PausewatchZombieBuildup?"),
        ("xyzzy", "pausewatch explain lists all"),
    ],
)
def test_unknown_name_gets_the_nearest(name: str, hint: str) -> None:
    """A misspelling is an error with a way out."""
    told = run("explain", name)

    assert told.code == 2
    assert told.error == f"there is no check, reason, alert or word {name!r}; {hint}"
