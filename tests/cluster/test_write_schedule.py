# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pausewatch.cluster import write_schedule
from pausewatch.cluster.write_schedule import Pace, Step, WriteState, due_at

PACE = Pace(interval_seconds=60, heartbeat_seconds=600)
NOW = 10_000.0


def stored(content: str = "a", **changes: Any) -> WriteState:
    """Return what is known right after a write of ``content``."""
    return write_schedule.written(WriteState(step=Step.REPLACE, **changes), NOW, content, NOW + 600)


def test_first_of_all_the_stored_report_is_read() -> None:
    """Only that tells whether to create or to replace, and what an earlier run knew."""
    assert WriteState().step is Step.READ
    assert due_at(WriteState(), "a", PACE) == -math.inf


def test_unchanged_report_waits_for_its_heartbeat() -> None:
    """Quiet nodes cost six writes an hour."""
    assert due_at(stored("a"), "a", PACE) == NOW + 600


def test_agents_that_wrote_together_after_an_outage_do_not_stay_in_step() -> None:
    """Of 1,000 that were refused until the same half minute, the next ten minutes see about as many in each of them."""
    chances = random.Random(7)  # noqa: S311  no secret
    minutes: Counter[int] = Counter()
    for _ in range(1000):
        written_at = NOW + 30 * chances.random()
        state = write_schedule.failed(stored("a"), NOW, 0, chances.random())
        wait = write_schedule.heartbeat_seconds(PACE, chances.random(), in_step=write_schedule.is_in_step(state))
        minutes[int(written_at + wait - NOW) // 60] += 1

    assert max(minutes.values()) < 150
    assert set(minutes) == set(range(1, 12))


def test_usual_heartbeats_keep_their_place() -> None:
    """They are spread already; an earlier one would be a write more."""
    assert not write_schedule.is_in_step(stored("a"))
    assert write_schedule.is_in_step(write_schedule.created(WriteState(), NOW))
    assert write_schedule.heartbeat_seconds(PACE, 0) == 540


def test_changed_report_waits_for_the_minute_to_be_over() -> None:
    """A finding that comes and goes costs at most one write a minute."""
    assert due_at(stored("a"), "b", PACE) == NOW + 60


def test_changed_report_waits_no_longer_than_an_unchanged_one() -> None:
    """However long somebody sets the interval: it would grow stale with a living agent."""
    assert due_at(stored("a"), "b", Pace(interval_seconds=86_400, heartbeat_seconds=600)) == NOW + 600


def test_young_report_of_an_earlier_run_is_not_written_again() -> None:
    """A restart of all agents is no reason for a write on each node."""
    state = write_schedule.found(WriteState(), NOW, "a", NOW + 300)

    assert state.step is Step.REPLACE
    assert due_at(state, "a", PACE) == NOW + 300
    assert due_at(state, "b", PACE) == -math.inf


def test_missing_report_is_created_and_then_filled_at_once() -> None:
    """Creation leaves the status empty; the minute counts between two statuses."""
    gone = write_schedule.missing(stored("a"))
    made = write_schedule.created(gone, NOW)

    assert gone.step is Step.CREATE
    assert due_at(gone, "a", PACE) == -math.inf
    assert made.step is Step.REPLACE
    assert due_at(made, "a", PACE) == -math.inf


def test_report_that_is_collected_again_and_again_is_hardly_created_any_more() -> None:
    """The Node is going away: two creations within five minutes, then hourly."""
    state = WriteState(step=Step.CREATE)
    moments = []
    now = NOW
    for _ in range(6):
        now = max(now, due_at(state, "a", PACE))
        moments.append(now - NOW)
        state = write_schedule.missing(write_schedule.created(state, now))
        now += 1

    assert moments == [0, 1, 301, 301 + 3600, 301 + 2 * 3600, 301 + 3 * 3600]


def test_report_that_somebody_else_touched_is_read_when_it_might_be_written() -> None:
    """However often that happens; what is still ours waits for its heartbeat, what is not is written at once."""
    state = write_schedule.touched(stored("a"))

    assert state.step is Step.READ
    assert due_at(state, "a", PACE) == NOW + 60
    assert due_at(write_schedule.compared(state, NOW, is_ours=True), "a", PACE) == NOW + 600
    assert due_at(write_schedule.compared(state, NOW, is_ours=False), "a", PACE) == NOW + 60


def test_somebody_who_labels_in_a_loop_does_not_set_the_pace_of_reading() -> None:
    """Long after our last write, too: each label would cost a request otherwise."""
    state = write_schedule.compared(write_schedule.touched(stored("a")), NOW + 300, is_ours=True)

    assert due_at(write_schedule.touched(state), "a", PACE) == NOW + 360


def test_second_writer_is_put_right_twice_and_then_with_each_heartbeat() -> None:
    """Who sees the node otherwise would be written over for ever: an agent of another version, for one."""
    state, now, moments = stored("a"), NOW, []
    for _ in range(6):
        state = write_schedule.compared(write_schedule.touched(state), now, is_ours=False)
        now = max(now, due_at(state, "a", PACE))
        moments.append(now - NOW)
        state = write_schedule.written(state, now, "a", now + 600)

    assert moments == [60, 120, 720, 1320, 1920, 2520]
    assert write_schedule.is_contested(state, now)
    assert due_at(state, "b", PACE) == now + 60
    assert not write_schedule.is_contested(state, now + write_schedule.OVERWRITES_ARE_KEPT_SECONDS)


def test_news_are_no_dispute_whoever_wrote_last() -> None:
    """Of two agents that agree, now one is faster and now the other: a fault and its end may come again and again."""
    state, now = stored("healthy"), NOW
    for content, news in (("broken", "healthy"), ("healthy", "broken")) * 3:
        now += 100
        state = write_schedule.found(write_schedule.touched(state), now, content, now + 600)
        state = write_schedule.agreed(state, content)
        assert due_at(state, news, PACE) <= now
        state = write_schedule.written(state, now, news, now + 600)

    assert not write_schedule.is_contested(state, now)


def test_news_are_not_held_back_by_a_dispute() -> None:
    """What the node has only now must not wait for ten minutes."""
    state = stored("a", overwrites=(NOW - 60, NOW - 120))
    state = write_schedule.compared(write_schedule.touched(state), NOW + 60, is_ours=False)

    assert due_at(state, "a", PACE) == NOW + 600
    assert due_at(state, "b", PACE) == NOW + 60


def test_second_writer_that_agrees_costs_no_write() -> None:
    """Its heartbeat counts for both."""
    state = write_schedule.found(write_schedule.touched(stored("a")), NOW + 90, "a", NOW + 690)

    assert due_at(state, "a", PACE) == NOW + 690
    assert write_schedule.written(state, NOW + 690, "a", NOW + 1290).overwrites == ()


def test_creation_is_held_back_after_the_second_one_only() -> None:
    """Twice is a person who tidies up."""
    once = write_schedule.missing(write_schedule.created(WriteState(step=Step.CREATE), NOW))
    twice = write_schedule.missing(write_schedule.created(once, NOW))

    assert not write_schedule.is_held_back(once, NOW)
    assert write_schedule.is_held_back(twice, NOW + 299)
    assert not write_schedule.is_held_back(twice, NOW + 300)
    assert not write_schedule.is_held_back(write_schedule.created(twice, NOW + 300), NOW + 301)


def test_deletion_long_after_another_one_is_answered_at_once() -> None:
    """However many there were."""
    state = WriteState(step=Step.CREATE, creations=(NOW - 9000, NOW - 8000, NOW - 7000))

    assert due_at(state, "a", PACE) <= NOW


@pytest.mark.parametrize(("failures", "least", "most"), [(0, 1, 2), (1, 2, 4), (5, 32, 64), (50, 150, 300)])
def test_failed_attempts_are_repeated_later_and_later(failures: int, least: float, most: float) -> None:
    """The wait doubles up to five minutes; half of it is random."""
    before = stored(failures=failures)
    state = WriteState(step=Step.REPLACE, content=before.content, failures=failures)

    assert write_schedule.failed(state, NOW, 0, 0).not_before == NOW + least
    assert write_schedule.failed(state, NOW, 0, 1).not_before == NOW + most
    assert due_at(write_schedule.failed(state, NOW, 0, 1), "b", PACE) == NOW + most


def test_server_that_asks_for_patience_gets_it() -> None:
    """Retry-After is the least; agents that were told the same come back at different times."""
    state = WriteState(step=Step.REPLACE)

    assert write_schedule.failed(state, NOW, 120, 0).not_before == NOW + 120
    assert write_schedule.failed(state, NOW, 120, 1).not_before == NOW + 150


def test_who_is_not_recognized_asks_again_within_half_a_minute() -> None:
    """The token on disk is renewed by somebody else, at any time."""
    longest = write_schedule.LONGEST_LOGIN_RETRY_SECONDS
    assert write_schedule.failed(WriteState(failures=99), NOW, 0, 1, longest).not_before == NOW + 30


def test_server_that_answers_something_else_again_is_tried_soon() -> None:
    """Unless that is due even sooner, or the server asked for more; the next failure is the next, not the first."""
    long = write_schedule.failed(WriteState(failures=9), NOW, 0, 1)
    short = write_schedule.failed(WriteState(), NOW, 0, 0)
    asked = write_schedule.failed(WriteState(failures=9), NOW, 120, 0)

    assert write_schedule.answered(long, NOW + 100, 1).not_before == NOW + 102
    assert write_schedule.answered(long, NOW + 100, 1).failures == 10
    assert write_schedule.answered(short, NOW, 1).not_before == short.not_before == NOW + 1
    assert write_schedule.answered(asked, NOW, 0).not_before == NOW + 120
    assert write_schedule.answered(WriteState(), NOW, 0).not_before == -math.inf


def test_success_forgets_failures() -> None:
    """The next outage begins with short waits."""
    state = write_schedule.failed(WriteState(failures=7), NOW, 0, 0)

    assert write_schedule.written(state, NOW, "a", NOW + 600).failures == 0
    assert write_schedule.found(state, NOW, "a", NOW).failures == 0
    assert write_schedule.missing(state).failures == 0


@given(chance=st.floats(0, 1, exclude_max=True))
def test_heartbeats_stay_well_below_the_time_of_staleness(chance: float) -> None:
    """A report is stale after 2.5 heartbeats: one may be lost."""
    assert 540 <= write_schedule.heartbeat_seconds(PACE, chance) <= 660
