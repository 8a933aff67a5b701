from collections.abc import Iterator

from pausewatch.model.availability import Unavailable
from pausewatch.sources.cri.client import ABOUT_ONE_CALL
from pausewatch.sources.cri.turn import TURN_TIME_LIMITS, Turn

HUNG = Unavailable(reason="RuntimeHanging", detail="no answer")


def a_turn(*seconds: float) -> Turn:
    """Return a turn of calls of one second on a clock that shows these times, one after another."""
    shown: Iterator[float] = iter(seconds)
    return Turn(1, lambda: next(shown))


def test_time_counts_from_the_first_question() -> None:
    """Whatever time went by before, and up to the last moment."""
    turn = a_turn(100, 100 + TURN_TIME_LIMITS, 101 + TURN_TIME_LIMITS)

    assert turn.refusal() is None
    assert turn.refusal() is None
    refusal = turn.refusal()
    assert refusal is not None
    assert refusal.reason == "RuntimeSlow"


def test_call_that_hung_ends_the_turn() -> None:
    """Its reason is that of all that is not asked."""
    turn = a_turn(0, 1, 9)

    assert turn.refusal() is None
    assert not turn.heed(HUNG)
    assert turn.refusal() == turn.refusal() == HUNG


def test_failure_of_one_call_is_an_answer() -> None:
    """Who refuses one question answers the next."""
    turn = a_turn(0, 1)

    assert all(turn.heed(Unavailable(reason=reason, detail="")) for reason in ABOUT_ONE_CALL)
    assert turn.heed(None)
    assert turn.refusal() is None
