"""When the report is written: pure, times are seconds of one monotonic clock that the caller passes in.

5,000 agents share one API server. Each writes when the content changed, at most once a minute, and now and then to show
that it lives. What fails is tried again later and later; what is deleted again and again, hardly any more: its Node is
going away.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum, auto

FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 300.0
"""A missing definition or permission is found again within five minutes; a server that is down is not hammered. That it
is back is noticed by the watch within half a minute, see ``answered``."""

LONGEST_LOGIN_RETRY_SECONDS = 30.0
"""The same where we were not recognized: somebody else renews a token on disk, and nothing tells us. If it befell all
of 5,000 agents for long, they would make 250 requests a second that the server need not look into."""

CREATION_SECONDS = (0.0, 0.0, 300.0, 3600.0)
"""How long after the last creation the next one may be, by how many there were of late. Twice at once is a person who
tidies up; more is the garbage collector, which removes the report of a Node that is gone for good."""

CREATIONS_ARE_KEPT_SECONDS = 3 * 3600.0
"""How long one counts: with a shorter time, one creation an hour would look like few."""

OVERWRITES_AT_ONCE = 2
OVERWRITES_ARE_KEPT_SECONDS = 3600.0
"""What somebody else writes into the status is put right at the usual pace twice within this time, and then with each
heartbeat only. Twice is a person who edits; more is a second writer that sees the node otherwise, such as an agent of
another version: two that correct each other stay within two quiet nodes' share of writes."""

HEARTBEAT_SPREAD = 0.1
"""Heartbeats come this much earlier or later, so that agents that were started together drift apart."""


class Step(Enum):
    """What to ask the API server next."""

    READ = auto()
    """What is stored is not known."""

    CREATE = auto()
    REPLACE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often an agent writes."""

    interval_seconds: float = 60.0
    """At least between two writes of changed content."""

    heartbeat_seconds: float = 600.0
    """An unchanged report is written again after this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteState:
    """What is known of the stored report, and of our attempts to write it."""

    step: Step = Step.READ
    content: str = ""
    """``content_hash`` of what is stored."""

    written_at: float = -math.inf
    heartbeat_at: float = -math.inf
    """When it is due again although nothing changed."""

    not_before: float = -math.inf
    """No attempt earlier: the last one failed."""

    asked_until: float = -math.inf
    """So long the server asked to be left alone."""

    failures: int = 0
    """In a row."""

    read_at: float = -math.inf

    creations: tuple[float, ...] = ()
    """Of late."""

    is_foreign: bool = False
    """Whether what is stored is somebody else's, written since our last write."""

    said: str = ""
    """``content_hash`` of what we have written last, or agreed with: that somebody else was faster is no dispute."""

    overwrites: tuple[float, ...] = ()
    """When we put back what somebody else had replaced, of late."""


def due_at(state: WriteState, content: str, pace: Pace) -> float:
    """Return from when on the next step may be taken.

    Args:
        state: What is known.
        content: ``content_hash`` of the report to be written.
        pace: How often to write.
    """
    match state.step:
        case Step.READ:
            # Whoever edits or labels the report in a loop must not set our pace.
            wanted = max(state.written_at, state.read_at) + pace.interval_seconds
        case Step.CREATE:
            wanted = _creation_at(state.creations)
        case Step.REPLACE if content != state.content:
            is_fight = _puts_back(state, content) and is_contested(state, state.written_at)
            # With an interval longer than the heartbeat, a report that changed would grow stale.
            interval_seconds = math.inf if is_fight else pace.interval_seconds
            wanted = state.written_at + min(interval_seconds, pace.heartbeat_seconds)
        case Step.REPLACE:
            wanted = state.heartbeat_at
    return max(wanted, state.not_before)


def found(state: WriteState, now: float, content: str, heartbeat_at: float) -> WriteState:
    """Return the state after a stored report was read that is not of our writing.

    A young report with the same content need not be written again, neither by an agent that was just restarted nor by
    one of two that run on one node.

    Args:
        state: Before.
        now: When it was read.
        content: ``content_hash`` of it.
        heartbeat_at: When it has to be written again, counted from its own time.
    """
    has_written = state.written_at > -math.inf
    return replace(
        state,
        step=Step.REPLACE,
        content=content,
        heartbeat_at=heartbeat_at,
        failures=0,
        read_at=now,
        is_foreign=has_written,
    )


def missing(state: WriteState) -> WriteState:
    """Return the state after the API server said, or its watch, that there is no report."""
    return replace(
        state,
        step=Step.CREATE,
        content="",
        heartbeat_at=-math.inf,
        written_at=-math.inf,
        read_at=-math.inf,
        failures=0,
        is_foreign=False,
    )


def unknown(state: WriteState) -> WriteState:
    """Return the state after somebody else made a report of this name."""
    return replace(state, step=Step.READ, content="", written_at=-math.inf, read_at=-math.inf)


def touched(state: WriteState) -> WriteState:
    """Return the state after somebody else changed the report of ours: what they made of it has to be read."""
    return replace(state, step=Step.READ)


def compared(state: WriteState, now: float, *, is_ours: bool) -> WriteState:
    """Return the state after the report of ours was read again; its status is written anew unless it is still ours."""
    content = state.content if is_ours else ""
    is_foreign = state.is_foreign or not is_ours
    return replace(state, step=Step.REPLACE, content=content, failures=0, read_at=now, is_foreign=is_foreign)


def created(state: WriteState, now: float) -> WriteState:
    """Return the state after the object was created; its status is still empty."""
    kept = tuple(one for one in state.creations if one > now - CREATIONS_ARE_KEPT_SECONDS)
    return replace(state, step=Step.REPLACE, content="", creations=(*kept, now), failures=0)


def written(state: WriteState, now: float, content: str, heartbeat_at: float) -> WriteState:
    """Return the state after the status was written."""
    overwrites = tuple(one for one in state.overwrites if one > now - OVERWRITES_ARE_KEPT_SECONDS)
    if _puts_back(state, content):
        overwrites = (*overwrites, now)
    return replace(
        state,
        content=content,
        said=content,
        written_at=now,
        heartbeat_at=heartbeat_at,
        failures=0,
        is_foreign=False,
        overwrites=overwrites,
    )


def agreed(state: WriteState, content: str) -> WriteState:
    """Return the state after a look of ours that says ``content``; what is stored may say the same."""
    return replace(state, said=content) if state.step is Step.REPLACE and content == state.content else state


def is_held_back(state: WriteState, now: float) -> bool:
    """Return whether a missing report is not created yet because the last ones were deleted so soon."""
    return state.step is Step.CREATE and _creation_at(state.creations) > now


def is_contested(state: WriteState, now: float) -> bool:
    """Return whether somebody else writes another content again and again, so that ours waits for its heartbeat."""
    return sum(one > now - OVERWRITES_ARE_KEPT_SECONDS for one in state.overwrites) >= OVERWRITES_AT_ONCE


def failed(
    state: WriteState,
    now: float,
    retry_after_seconds: float,
    chance: float,
    longest_seconds: float = LONGEST_RETRY_SECONDS,
) -> WriteState:
    """Return the state after an attempt that the server did not accept, or did not answer.

    The wait doubles with each failure in a row, up to the longest; half of it is random, so that agents do not come
    back together. It is never shorter than what the server asked for.
    """
    doubled = FIRST_RETRY_SECONDS * 2 ** min(state.failures, 10)
    wait = min(doubled, longest_seconds) * (1 + chance) / 2
    asked = retry_after_seconds * (1 + chance / 4)
    return replace(state, failures=state.failures + 1, not_before=now + max(wait, asked), asked_until=now + asked)


def answered(state: WriteState, now: float, chance: float) -> WriteState:
    """Return the state after the server answered another request again: what failed is tried soon.

    No sooner than after a first failure, so that a server that answers now and then is not asked each time, and not
    before the end of what the server asked for.
    """
    soon = now + FIRST_RETRY_SECONDS * (1 + chance) / 2
    return replace(state, not_before=max(min(state.not_before, soon), state.asked_until))


def is_in_step(state: WriteState) -> bool:
    """Return whether other agents may write at the same moment: the report is new, or attempts failed before it."""
    return state.not_before > state.written_at or (bool(state.creations) and state.written_at == -math.inf)


def heartbeat_seconds(pace: Pace, chance: float, *, in_step: bool = False) -> float:
    """Return how long an unchanged report may stay.

    Agents that wrote at the same moment, as after an outage of the API server, spread their next heartbeat over all of
    its period. By the usual spread alone 5,000 of them would stay in step for a day: all writes of ten minutes within
    two of them, again and again.

    Args:
        pace: How often to write.
        chance: Random, at least 0 and less than 1.
        in_step: From ``is_in_step``, of the state before the write.
    """
    usual_seconds = pace.heartbeat_seconds * (1 - HEARTBEAT_SPREAD)
    earliest_seconds = min(pace.interval_seconds, usual_seconds) if in_step else usual_seconds
    return earliest_seconds + (pace.heartbeat_seconds * (1 + HEARTBEAT_SPREAD) - earliest_seconds) * chance


def _creation_at(creations: tuple[float, ...]) -> float:
    if not creations:
        return -math.inf
    recent = sum(one > creations[-1] - CREATIONS_ARE_KEPT_SECONDS for one in creations)
    return creations[-1] + CREATION_SECONDS[min(recent, len(CREATION_SECONDS) - 1)]


def _puts_back(state: WriteState, content: str) -> bool:
    """Return whether writing it restores what somebody else has replaced; news of ours do not."""
    return state.is_foreign and content == state.said and content != state.content
