import logging

import pytest

from pausewatch.agent.troubles import EVENTS, FILES, REPORT, SENTENCES, SOURCES, STORED, Troubles, of_snapshot
from pausewatch.model.availability import READ_HANGS, Unavailable
from support.builders import a_snapshot

DOWN = Unavailable(reason="Timeout", detail="no answer within 2 s")


def test_trouble_is_told_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    """Not in each scan; the count is of each time."""
    troubles = Troubles()
    slower = Unavailable(reason="Timeout", detail="no answer within 3 s")
    refused = Unavailable(reason="PermissionDenied", detail="refused")
    with caplog.at_level(logging.INFO):
        for why in (None, DOWN, slower, refused, None, None):
            troubles.take({"runtime": why})

    assert [record.getMessage() for record in caplog.records] == [
        f"the container runtime can not be asked: {DOWN}",
        f"the container runtime can not be asked: {refused}",
        "the container runtime answers again",
    ]
    assert troubles.counts["runtime"] == 3
    assert troubles.now["runtime"] is None


def test_snapshot_tells_what_could_not_be_read() -> None:
    """By the names that metrics use."""
    well = dict.fromkeys((*SOURCES, FILES))
    assert of_snapshot(a_snapshot()) == well
    assert of_snapshot(a_snapshot(sandboxes=DOWN, pods=DOWN)) == {**well, "runtime": DOWN, "pods": DOWN}


def test_file_that_hangs_is_a_trouble() -> None:
    """A detail that is missing for another reason only skips its checks."""
    hanging = Unavailable(reason=READ_HANGS, detail="it does not answer")

    assert of_snapshot(a_snapshot(memberships=DOWN, monitors=hanging))[FILES] is hanging
    assert of_snapshot(a_snapshot(memberships=DOWN))[FILES] is None


def test_everything_that_can_be_missing_has_its_sentences() -> None:
    """A log line is what people look for first."""
    assert set(SENTENCES) == {*SOURCES, FILES, REPORT, STORED, EVENTS}
