from datetime import timedelta

import pytest

from pausewatch.agent import restart
from pausewatch.checks._check import all_checks, thresholds_of
from pausewatch.evaluate import evaluate
from pausewatch.model.history import History
from pausewatch.model.report import Report
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from support.builders import a_snapshot
from support.changes import with_first_process
from support.parts import HOST_LINKS, TAKEN_AT, UPTIME_SECONDS, WEB_APP_ID

THREE_HOURS_AGO = TAKEN_AT - timedelta(hours=3)


def broken_node(seconds: float = 0) -> Snapshot:
    """Return a node with a container in the node's network, some seconds later."""
    later = a_snapshot(taken_at=TAKEN_AT + timedelta(seconds=seconds), uptime_seconds=UPTIME_SECONDS + seconds)
    return with_first_process(later, WEB_APP_ID, network=HOST_LINKS.network)


def look(history: History, seconds: float) -> tuple[Report, History]:
    """Judge the broken node."""
    return evaluate(broken_node(seconds), history, Settings(), all_checks())


def finding_id() -> str:
    """Return the id of the one finding on the broken node."""
    _, history = look(History(), 0)
    report, _ = look(history, 30)
    return report.findings[0].id


def test_finding_that_is_seen_again_keeps_its_first_time() -> None:
    """The alert says since when, and a new agent must not know better."""
    history = restart.restored(restart.beginning(UPTIME_SECONDS, 300), {finding_id(): THREE_HOURS_AGO})
    _, history = look(history, 0)
    report, _ = look(history, 30)

    assert report.findings[0].first_seen_at == THREE_HOURS_AGO


def test_first_time_that_is_known_late_still_counts() -> None:
    """The API server was down when the agent started."""
    _, history = look(restart.beginning(UPTIME_SECONDS, 300), 0)
    report, _ = look(restart.restored(history, {finding_id(): THREE_HOURS_AGO}), 30)

    assert report.findings[0].first_seen_at == THREE_HOURS_AGO


def test_finding_that_came_later_is_a_new_one() -> None:
    """It was mended in between."""
    _, history = look(restart.beginning(UPTIME_SECONDS - 301, 300), 0)
    report, _ = look(restart.restored(history, {finding_id(): THREE_HOURS_AGO}), 30)

    assert report.findings[0].first_seen_at == TAKEN_AT


@pytest.mark.parametrize(
    ("found", "stored", "looks", "settled", "may"),
    [
        (["a"], None, 9, True, False),
        ([], [], 1, True, False),
        ([], [], 2, False, True),
        ([], ["a"], 2, False, False),
        (["a"], ["a", "b"], 2, False, False),
        (["a", "b"], ["a"], 2, False, True),
        (["a"], ["a"], 2, False, True),
        (["c"], ["a"], 2, False, True),
        ([], ["a"], 9, True, True),
    ],
    ids=[
        "what is stored could not be read yet",
        "one look proves nothing",
        "nothing was stored",
        "too early to say that it healed",
        "one of two is not seen yet",
        "all of it and more",
        "the same",
        "something new outweighs patience",
        "it had its time",
    ],
)
def test_new_agent_does_not_report_as_healed_what_it_has_not_seen_yet(
    found: list[str], stored: list[str] | None, looks: int, *, settled: bool, may: bool
) -> None:
    """Orphans and zombies need minutes to be sure of."""
    assert restart.may_be_stored(found, stored, looks, settled=settled) is may


def test_agent_settles_until_its_slowest_check_can_be_sure() -> None:
    """Otherwise each restart tells the end of what needs five minutes, and soon afterwards its beginning."""
    slowest = {check.id: check.persistence_seconds(thresholds_of(check, {})) for check in all_checks()}
    period = Settings().scan_period_seconds

    assert restart.settling_seconds(Settings()) >= slowest["unmanaged-process"] + 10 + 2 * period


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        (Settings(thresholds={"orphaned-shim": {"lasting_seconds": 400}}), 500),
        (Settings(thresholds={"zombie-buildup": {"seen_for_seconds": 400, "zombies": 5000}}), 500),
        (Settings(thresholds={"orphaned-shim": {"lasting_seconds": 86_400}}), 600),
        (Settings(report_heartbeat_seconds=4), 300),
        (Settings(scan_period_seconds=3600), 600),
    ],
    ids=[
        "a slower check",
        "zombies that have to be older",
        "no longer than a heartbeat",
        "frequent heartbeats",
        "rare scans",
    ],
)
def test_settling_follows_the_settings(settings: Settings, seconds: float) -> None:
    """A report that is not renewed for much longer than a heartbeat would look stale although the agent lives."""
    assert restart.settling_seconds(settings) == seconds
