"""Questions to the runtime, one after another, for as long as it answers and there is time."""

from collections.abc import Callable

from pausewatch.model.availability import Unavailable
from pausewatch.sources.cri.client import ABOUT_ONE_CALL

TURN_TIME_LIMITS = 3
"""The questions of one turn end after this many times the time limit of one call. Asking for 110 sandboxes and
220 containers takes a healthy runtime about 0.2 s; what a slow one leaves open is asked in the next reading."""


class Turn:
    """So many questions as the runtime has patience for; it begins with the first look at ``refusal``.

    With a time limit for each question alone, a hundred of them would keep a scan waiting for minutes.
    """

    def __init__(self, timeout_seconds: float, clock: Callable[[], float]) -> None:
        """Prepare for calls that end after ``timeout_seconds``; ``clock`` tells seconds that never go back."""
        self._seconds = TURN_TIME_LIMITS * timeout_seconds
        self._clock = clock
        self._ends_at: float | None = None
        self._refusal: Unavailable | None = None

    def refusal(self) -> Unavailable | None:
        """Return why nothing more is asked in this turn: a call hung, or the time is up; None to go on."""
        now = self._clock()
        if self._ends_at is None:
            self._ends_at = now + self._seconds
        if self._refusal is None and now > self._ends_at:
            self._refusal = Unavailable(
                reason="RuntimeSlow",
                detail=f"the runtime took longer than {self._seconds:g} s for its answers;"
                " the rest is asked in the next scan",
                remedy="look for what keeps the container runtime or its disk busy",
            )
        return self._refusal

    def heed(self, answer: object) -> bool:
        """Take note of an answer; return whether it tells that the runtime answers, with a failure or without."""
        if isinstance(answer, Unavailable) and answer.reason not in ABOUT_ONE_CALL:
            self._refusal = answer
            return False
        return True
