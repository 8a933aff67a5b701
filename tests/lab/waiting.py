"""Waiting with a limit: every wait of the lab ends, and says what it waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from lab.errors import WaitTimeoutError

_T = TypeVar("_T")

_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.3

#: Times as long as the probe took: one that starts kubectl again and again would keep a processor busy by itself, which
#: whoever is waited for wants.
_PAUSE_PER_PROBE = 2


def wait_until(what: str, probe: Callable[[], _T | None], limit_seconds: float) -> _T:
    """Call `probe` until it answers something true, and return that.

    Args:
        what: What is waited for, as it reads after "waited 5 s for".
        probe: Asked again after 20 ms, later if it takes long; None and False mean "not yet". What it raises ends the
            wait.
        limit_seconds: The longest this may take, measured on the monotonic clock.

    Raises:
        WaitTimeoutError: The limit was reached; names `what`.
    """
    deadline = time.monotonic() + limit_seconds
    while True:
        began = time.monotonic()
        answer = probe()
        if answer:
            return answer
        ended = time.monotonic()
        if ended >= deadline:
            raise WaitTimeoutError(f"waited {limit_seconds:g} s for {what}, in vain")
        pause_seconds = max(_PAUSE_SECONDS, _PAUSE_PER_PROBE * (ended - began))
        time.sleep(min(pause_seconds, _LONGEST_PAUSE_SECONDS))
