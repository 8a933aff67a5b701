from collections.abc import Mapping

from pausewatch.agent.health import LEAST_SECONDS_WITHOUT_SCAN, Facts, liveness, readiness
from pausewatch.agent.scan_loop import Iterations
from pausewatch.model.availability import Unavailable

NOW = 10_000.0
DOWN = Unavailable(reason="Unreachable", detail="refused", remedy="look")


def facts(
    iterations: Iterations | None = None,
    ended: Mapping[str, str] | None = None,
    troubles: Mapping[str, Unavailable | None] | None = None,
    period_seconds: float = 30,
    runtime_timeout_seconds: float = 2,
) -> Facts:
    """Return the facts of a healthy agent, changed where said."""
    return Facts(
        iterations=iterations or Iterations(looks=3, ended_at=NOW - 5),
        period_seconds=period_seconds,
        runtime_timeout_seconds=runtime_timeout_seconds,
        ended_parts=ended or {},
        troubles=troubles or {},
    )


def test_agent_that_scans_lives_and_is_ready() -> None:
    """With what a person wants to know."""
    verdict = liveness(facts(), NOW)

    assert verdict.ok
    assert readiness(facts(), NOW).ok
    assert verdict.body["scans"] == 3
    assert verdict.body["secondsSinceLastScan"] == 5


def test_what_is_down_outside_is_told_and_not_judged() -> None:
    """Thousands of agents that restart together make no API server better."""
    verdict = liveness(facts(troubles={"report": DOWN, "runtime": DOWN, "pods": None}), NOW)

    assert verdict.ok
    assert verdict.body["troubles"]["report"] == {"reason": "Unreachable", "detail": "refused", "remedy": "look"}
    assert "pods" not in verdict.body["troubles"]


def test_scan_that_hangs_is_no_life() -> None:
    """A restart may help, and the kubelet does it."""
    hanging = facts(Iterations(looks=3, ended_at=NOW - LEAST_SECONDS_WITHOUT_SCAN - 1))

    assert not liveness(hanging, NOW).ok
    assert "no scan has ended for 301 s" in liveness(hanging, NOW).body["reasons"][0]
    assert readiness(hanging, NOW).ok


def test_long_period_has_more_patience() -> None:
    """Ten periods."""
    assert liveness(facts(Iterations(looks=3, ended_at=NOW - 1000), period_seconds=120), NOW).ok


def test_long_limit_of_the_runtime_s_answers_has_more_patience() -> None:
    """A runtime that is slow in each of eleven calls is no fault of the agent, and no restart mends it."""
    slow = facts(Iterations(looks=3, ended_at=NOW - 11 * 60 - 100), runtime_timeout_seconds=60)

    assert liveness(slow, NOW).ok


def test_part_that_ended_is_no_life() -> None:
    """None of them ever should."""
    verdict = liveness(facts(ended={"scan": "ValueError: x"}), NOW)

    assert not verdict.ok
    assert verdict.body["reasons"] == ["scan ended: ValueError: x"]


def test_broken_scans_are_life_but_not_readiness() -> None:
    """The loop goes on; nothing was found yet."""
    broken = facts(Iterations(crashes=7, crash="ValueError: x", ended_at=NOW - 5))

    assert liveness(broken, NOW).ok
    assert not readiness(broken, NOW).ok
    assert readiness(broken, NOW).body["reasons"] == [
        "no scan has been completed yet; the last one broke: ValueError: x"
    ]
