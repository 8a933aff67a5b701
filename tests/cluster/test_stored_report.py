# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

from datetime import UTC, datetime
from typing import Any

import pytest

from pausewatch.cluster.stored_report import LARGE_METADATA_BYTES, changed_paths, is_later, is_of_another_agent, remark
from pausewatch.sinks.report import Object

NODE = {"apiVersion": "v1", "kind": "Node", "name": "node-7", "uid": "u"}
MAP = {**NODE, "kind": "ConfigMap", "name": "x"}


def a_stored(**metadata: Any) -> Object:
    """Return a report as the agent makes it, with other metadata where said."""
    return {"metadata": {"name": "node-7", "uid": "r", "ownerReferences": [NODE], **metadata}}


def test_report_of_our_own_making_is_not_remarked_on() -> None:
    """Labels and annotations are for everybody to set."""
    stored = a_stored(labels={"team": "a"}, annotations={"note": "looked at by hand"})

    assert remark(stored, (), "node-7") is None


@pytest.mark.parametrize(
    ("metadata", "reason", "says"),
    [
        ({"ownerReferences": []}, "ReportWithOtherOwner", "owned by nobody"),
        ({"ownerReferences": [MAP]}, "ReportWithOtherOwner", "ConfigMap/x"),
        ({"ownerReferences": [NODE, MAP]}, "ReportWithOtherOwner", "Node/node-7, ConfigMap/x"),
        ({"ownerReferences": [{**NODE, "name": "node-8"}]}, "ReportWithOtherOwner", "Node/node-8"),
        ({"finalizers": ["a.example/b"]}, "ReportHeldByFinalizer", "will be held when it is deleted by"),
        (
            {"finalizers": ["a.example/b"], "deletionTimestamp": "2026-11-21T09:14:03Z"},
            "ReportHeldByFinalizer",
            "is being deleted, and held by the finalizers a.example/b",
        ),
        ({"annotations": {"a": "x" * LARGE_METADATA_BYTES}}, "ReportMetadataLarge", "bytes of metadata"),
    ],
)
def test_what_somebody_else_made_of_the_metadata_is_told(metadata: Object, reason: str, says: str) -> None:
    """The agent has no right to change it; a person has, and is told how."""
    found = remark(a_stored(**metadata), (), "node-7")

    assert found is not None
    assert found.reason == reason
    assert says in found.detail
    assert "kubectl" in found.remedy


def test_many_finalizers_with_long_names_make_a_short_line() -> None:
    """Their names are anybody's choice, and the line goes to the log."""
    found = remark(a_stored(finalizers=[f"{number}.example/{'x' * 300}\x1b[31m" for number in range(50)]), (), "node-7")

    assert found is not None
    assert "and 47 more" in found.detail
    assert len(found.detail) < 500
    assert found.detail.isprintable()


def test_places_that_the_api_server_changed_come_first_and_are_few() -> None:
    """What is stored is not what was found: worse than who owns it."""
    changed = tuple(f"status.place{number} is dropped" for number in range(9))
    found = remark(a_stored(ownerReferences=[]), changed, "node-7")

    assert found is not None
    assert found.reason == "ReportChangedOnTheWay"
    assert "status.place0 is dropped" in found.detail
    assert found.detail.endswith("status.place4 is dropped and more")


def test_what_is_stored_as_it_was_sent_is_no_change() -> None:
    """Whatever the order of the keys."""
    assert changed_paths({"a": [{"b": 1, "c": 2}]}, {"a": [{"c": 2, "b": 1}]}) == ()


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ({"a": [{"b": 1}, {"b": 1}], "n": 1}, ("status.a[].c is dropped",)),
        ({"a": [{"b": 1, "c": 2}, {"b": 3, "c": 2}], "n": 1}, ("status.a[].b is changed",)),
        ({"a": [{"b": 1, "c": 2}], "n": 1}, ("status.a is changed",)),
        ({"a": [{"b": 1, "c": 2}] * 2, "n": 1, "z": 0}, ("status.z is added",)),
        ({"a": [{"b": 1, "c": 2}] * 2, "n": "1"}, ("status.n is changed",)),
        (None, ("status is changed",)),
    ],
)
def test_each_difference_is_told_once_with_its_place(stored: object, told: tuple[str, ...]) -> None:
    """Twenty findings that lack the same field are one sentence."""
    sent = {"a": [{"b": 1, "c": 2}, {"b": 1, "c": 2}], "n": 1}

    assert changed_paths(sent, stored) == told


@pytest.mark.parametrize(
    ("status", "before", "later"),
    [
        ("2026-11-21T09:14:04Z", "2026-11-21T09:14:03Z", True),
        ("2026-11-21T09:14:03Z", "2026-11-21T09:14:03Z", False),
        ("2026-11-21T09:14:03Z", "2026-11-21T10:14:02+01:00", True),
        ("2026-11-21T09:14:03", "2026-11-21T09:14:02Z", False),
        ("soon", "2026-11-21T09:14:02Z", False),
        (7, "2026-11-21T09:14:02Z", False),
    ],
)
def test_look_is_later_only_where_both_say_when(status: object, before: str, *, later: bool) -> None:
    """Anything may stand there."""
    assert is_later({"reportTime": status}, {"reportTime": before}) is later
    assert not is_later({}, {"reportTime": before})


NOW = datetime(2026, 11, 21, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"reportTime": "2026-11-21T09:14:03Z"}, False),
        ({"reportTime": "2026-11-21T09:14:03Z", "summary": {"zombies": 0}}, False),
        ({"reportTime": "2026-11-21T09:14:03Z", "findings": [{}]}, False),
        ({"reportTime": "2026-11-21T09:13:00Z"}, True),
        ({"reportTime": "2026-11-21T09:15:00Z", "findings": [{}]}, True),
        ({"reportTime": "2027-11-21T09:15:00Z", "findings": [{}]}, False),
    ],
    ids=["ours", "its counts edited", "edited", "the same, seen earlier", "something else, seen later", "to come"],
)
def test_look_of_another_agent_is_known_by_its_time_and_content(status: Object, *, expected: bool) -> None:
    """Who edits by hand leaves the time of the look; a time that is still to come is nobody's."""
    assert is_of_another_agent(status, {"reportTime": "2026-11-21T09:14:03Z"}, NOW) is expected
