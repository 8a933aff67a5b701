"""What a user may change."""

import pytest

from pausewatch.model.settings import IgnoreRule, Settings, parse_listen_address


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (IgnoreRule(), True),
        (IgnoreRule(check="zombie-buildup"), True),
        (IgnoreRule(check="zombie-buildup", namespace="ci", pod="builder"), True),
        (IgnoreRule(check="namespace-not-shared"), False),
        (IgnoreRule(namespace="prod"), False),
        (IgnoreRule(pod="other"), False),
    ],
)
def test_an_empty_field_matches_everything(rule: IgnoreRule, *, matches: bool) -> None:
    """All fields that are given must fit."""
    assert rule.matches(check="zombie-buildup", namespace="ci", pod="builder") is matches


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (Settings().listen_address, ("", 7287)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("::1:80", None),
        ("7287", None),
        ("host:", None),
        ("host:65536", None),
        ("host:-1", None),
    ],
)
def test_address_to_listen_on(text: str, parsed: tuple[str, int] | None) -> None:
    """An IPv6 address needs its brackets: otherwise its end is taken for the port."""
    assert parse_listen_address(text) == parsed


@pytest.mark.parametrize(("heartbeat", "period", "renewal"), [(600, 30, 600), (600, 3600, 3600)])
def test_report_is_renewed_no_more_often_than_the_node_is_scanned(
    heartbeat: float, period: float, renewal: float
) -> None:
    """With a scan an hour, and a heartbeat of ten minutes, each report looked stale for half of the time."""
    settings = Settings(report_heartbeat_seconds=heartbeat, scan_period_seconds=period)

    assert settings.renewal_seconds == renewal
