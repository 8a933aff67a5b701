"""Waiting with a limit: every wait of the lab ends, and says what it waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from lab.errors import WaitTimeoutError

_T = TypeVar("_T")

_PAUSE_SECONDS = 0.02


def wait_until(what: str, probe: Callable[[], _T | None], limit_seconds: float) -> _T:
    """Call `probe` until it answers something true, and return that.

    Args:
        what: What is waited for, as it reads after "waited 5 s for".
        probe: Asked every 20 ms; None and False mean "not yet". What it raises ends the wait.
        limit_seconds: The longest this may take, measured on the monotonic clock.

    Raises:
        WaitTimeoutError: The limit was reached; names `what`.
    """
    deadline = time.monotonic() + limit_seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise WaitTimeoutError(f"waited {limit_seconds:g} s for {what}, in vain")
        time.sleep(_PAUSE_SECONDS)
