"""How much may happen: a burst at once, and then a steady pace. Pure; times are seconds of a clock of the caller's."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBucket:
    """Holds tokens, each good for one thing; a new one comes at a steady pace until the bucket is full."""

    burst: int
    """Tokens of a full bucket."""

    seconds_per_token: float
    tokens: float
    """At ``at``."""

    at: float

    def wait_seconds(self, now: float) -> float:
        """Return how long it takes until there is a token; 0 if there is one."""
        return max(1 - self._tokens(now), 0) * self.seconds_per_token

    def take(self, now: float) -> "TokenBucket":
        """Return the bucket with one token less; there has to be one."""
        return replace(self, tokens=self._tokens(now) - 1, at=now)

    def is_full(self, now: float) -> bool:
        """Whether it is as if nothing had ever been taken."""
        return self._tokens(now) >= self.burst

    def _tokens(self, now: float) -> float:
        return min(self.tokens + (now - self.at) / self.seconds_per_token, self.burst)


def full(burst: int, seconds_per_token: float, now: float) -> TokenBucket:
    """Return a bucket from which nothing was taken yet."""
    return TokenBucket(burst=burst, seconds_per_token=seconds_per_token, tokens=burst, at=now)
