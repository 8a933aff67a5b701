"""Whether the agent lives, and whether it is ready: verdicts for the kubelet, with the reasons for people.

A restart mends a loop that hangs. It mends neither an API server that is down nor a runtime that hangs, and thousands
of agents that restart together would make both worse: those are told and never judged.

A scan that hangs is noticed here, because it has a thread of its own. An event loop that hangs can not judge itself: it
serves the pages too, so that a probe gets no answer, and for the kubelet a probe that times out has failed (Kubernetes:
pkg/probe/http).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pausewatch.agent.scan_loop import Iterations
from pausewatch.model.availability import Unavailable

PERIODS_WITHOUT_SCAN = 10
RUNTIME_TIMEOUTS_WITHOUT_SCAN = 20
LEAST_SECONDS_WITHOUT_SCAN = 300.0
"""The agent is taken for dead after the longest of these: a scan of a node whose runtime answers nothing in time is
slow, not dead. It ends within the time limits of eleven calls, and asks the API server and hanging files as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to a probe."""

    ok: bool
    body: Mapping[str, Any]
    """JSON: why, and what else is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the verdicts rest on."""

    iterations: Iterations
    period_seconds: float
    runtime_timeout_seconds: float
    """Limit of one call to the container runtime."""

    ended_parts: Mapping[str, str]
    """Parts of the agent that must never end and did, with the reason."""

    troubles: Mapping[str, Unavailable | None]
    """What each source or sink lacks now, by name; None where all is well."""


def liveness(facts: Facts, now: float) -> Verdict:
    """Return whether the agent works at all; ``now`` is the monotonic clock."""
    limit = max(
        PERIODS_WITHOUT_SCAN * facts.period_seconds,
        RUNTIME_TIMEOUTS_WITHOUT_SCAN * facts.runtime_timeout_seconds,
        LEAST_SECONDS_WITHOUT_SCAN,
    )
    since = now - facts.iterations.ended_at
    reasons = [f"{name} ended: {why}" for name, why in facts.ended_parts.items()]
    if since > limit:
        reasons.append(f"no scan has ended for {since:.0f} s; more than {limit:.0f} s means that one hangs")
    return Verdict(ok=not reasons, body=_body(facts, since, reasons))


def readiness(facts: Facts, now: float) -> Verdict:
    """Return whether the node has been scanned; ``now`` is the monotonic clock."""
    crash = f"; the last one broke: {facts.iterations.crash}" if facts.iterations.crash else ""
    reasons = [] if facts.iterations.looks else [f"no scan has been completed yet{crash}"]
    return Verdict(ok=not reasons, body=_body(facts, now - facts.iterations.ended_at, reasons))


def _body(facts: Facts, since: float, reasons: list[str]) -> dict[str, Any]:
    iterations = facts.iterations
    return {
        "ok": not reasons,
        "reasons": reasons,
        "scans": iterations.looks,
        "crashes": iterations.crashes,
        "lastCrash": iterations.crash,
        "secondsSinceLastScan": round(since, 1),
        "troubles": {
            name: {"reason": why.reason, "detail": why.detail, "remedy": why.remedy}
            for name, why in facts.troubles.items()
            if why is not None
        },
    }
