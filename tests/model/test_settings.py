"""What a user may change."""

import pytest

from pausewatch.model.settings import IgnoreRule


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
