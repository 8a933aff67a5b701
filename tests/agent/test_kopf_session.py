"""One run of kopf, without kopf: what its handlers tell, and what others learn from it."""

import asyncio
import logging
import time

import pytest

from pausewatch.agent.kopf_operator import LONGEST_BACKOFF_EXPONENT, WATCH_SECONDS
from pausewatch.agent.kopf_session import LONGEST_SILENCE_SECONDS, NOT_LISTED, Listeners, Session, tell_left_over
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.errors import ApiError
from pausewatch.cluster.pods import PODS_PATH
from pausewatch.cluster.reports import GROUP_PATH, REPORTS_PATH, Seen
from pausewatch.cluster.watch_pace import LONGEST_WAIT_SECONDS
from pausewatch.model.availability import Unavailable
from support.parts import a_pod

NOWHERE = ConnectionPlace(kubeconfig=None)


class Told:
    """What a session told."""

    def __init__(self) -> None:
        self.completed = 0
        self.answered_again = 0
        self.reports: list[Seen] = []

    def session(self) -> Session:
        """Return a session that tells this."""

        def completed() -> None:
            self.completed += 1

        def answered_again() -> None:
            self.answered_again += 1

        listeners = Listeners(completed=completed, report_seen=self.reports.append, answered_again=answered_again)
        return Session("node-7", NOWHERE, listeners)


def test_pods_are_not_known_before_the_first_event() -> None:
    """kopf holds events back until its index is complete; a part of it would make orphans of the rest."""
    told = Told()
    session = told.session()
    session.started({"uid": (a_pod(),)})
    assert not session.is_complete
    assert session.pods() is NOT_LISTED

    session.pod_seen(listed=True)
    session.pod_seen(listed=False)
    assert session.is_complete
    assert told.completed == 1


def test_event_of_the_report_says_as_much() -> None:
    """A node may have no pods."""
    told = Told()
    session = told.session()
    seen = Seen(uid="uid", version="7", deleted=True)
    session.report_seen(seen, listed=False)

    assert session.is_complete
    assert told.reports == [seen]


def test_listing_is_told_once() -> None:
    """Whoever asks checks then what was deleted meanwhile."""
    session = Told().session()
    session.pod_seen(listed=True)
    session.pod_seen(listed=False)

    assert session.take_relisted()
    assert not session.take_relisted()


def test_pods_of_an_ended_session_are_what_was_in_its_index() -> None:
    """Until the next one knows better."""
    session = Told().session()
    session.started({"a": (a_pod(),), "b": (a_pod(uid="b"),)})

    assert [pod.uid for pod in session.last_pods()] == [a_pod().uid, "b"]


def test_pods_of_a_session_whose_loop_has_ended_still_count() -> None:
    """A scan may ask in the moment between the end of kopf and the start of the next one."""
    session = Told().session()
    session.stop()
    session.run()
    session.started({"a": (a_pod(),)})

    assert session.pods() == (a_pod(),)


def test_session_that_asks_for_nothing_any_more_is_silent() -> None:
    """One of kopf's two watches may end without a word, while the other one goes on."""
    session = Told().session()
    began = time.monotonic()
    assert not session.is_silent(began + LONGEST_SILENCE_SECONDS + 1), "nothing was asked yet"

    session.asked(REPORTS_PATH, None)
    session.asked(PODS_PATH, None)
    assert not session.is_silent(began + LONGEST_SILENCE_SECONDS)
    assert session.is_silent(time.monotonic() + LONGEST_SILENCE_SECONDS + 1)


def test_silence_is_longer_than_any_watch() -> None:
    """A quiet node's watch is begun anew by then, and so is one whose next attempt has to wait."""
    assert WATCH_SECONDS[1] + 2**LONGEST_BACKOFF_EXPONENT + LONGEST_WAIT_SECONDS + 60 < LONGEST_SILENCE_SECONDS


def test_session_that_is_stopped_before_it_began_ends_at_once() -> None:
    """The end of the agent must not wait for kopf."""
    session = Told().session()
    session.stop()

    assert session.run() is None
    assert session.was_stopped


def test_failing_requests_are_told_even_while_the_pods_are_known() -> None:
    """They are those that were seen last; an API server that is down would otherwise be noticed by the next write."""
    session = Told().session()
    refused = ApiError("GET /api/v1/pods", 0, "Unreachable", "refused")
    session.asked("/api", refused)
    assert session.trouble == refused.as_unavailable()
    session.pod_seen(listed=True)
    assert session.trouble is None

    session.asked(PODS_PATH, refused)
    assert session.trouble == refused.as_unavailable()
    session.asked(PODS_PATH, None)
    assert session.trouble is None


def test_first_answer_after_failures_is_told_once() -> None:
    """The report may wait for minutes until it is tried again; the watch knows sooner that it can be."""
    told = Told()
    session = told.session()
    refused = ApiError("GET /api/v1/pods", 0, "Unreachable", "refused")
    for error in (None, refused, refused, None, None):
        session.asked(PODS_PATH, error)

    assert told.answered_again == 1


def test_refused_login_is_not_repeated_at_once() -> None:
    """kopf logs in again at once whenever a request is refused."""
    session = Told().session()
    first, second = session.connection(), session.connection()

    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    assert (first.reason, second.reason) == ("NoConnection", "Unauthorized")


def test_two_listings_between_two_questions_are_told_once_and_the_next_again() -> None:
    """Each one may have missed deletions."""
    session = Told().session()
    for _ in range(3):
        session.pod_seen(listed=True)
    assert session.take_relisted()
    session.pod_seen(listed=True)

    assert session.take_relisted()
    assert not session.take_relisted()


def test_session_that_began_without_reports_says_so() -> None:
    """kopf looks for the kinds once; before it has done so nobody knows."""
    session = Told().session()
    assert not session.lacks_reports

    session.asked(PODS_PATH, None)
    assert session.lacks_reports
    session.asked(GROUP_PATH, None)
    assert not session.lacks_reports


def test_what_kopf_leaves_to_nobody_is_one_line_for_those_who_look(caplog: pytest.LogCaptureFixture) -> None:
    """A trace for each of its requests that failed with the first one would bury what is wrong."""
    with caplog.at_level(logging.DEBUG):
        loop = asyncio.new_event_loop()
        tell_left_over(loop, {"message": "never retrieved", "exception": ValueError("x")})
        loop.close()

    (record,) = [one for one in caplog.records if one.name.startswith("pausewatch")]
    assert (record.levelno, record.exc_info) == (logging.DEBUG, None)
    assert record.getMessage() == "kopf left an error: never retrieved: ValueError('x')"
