import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod
from pausewatch.model.report import Finding, NextCommand, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.sinks.events import (
    SERIES_SECONDS,
    Change,
    Known,
    News,
    Regarding,
    Told,
    micro_time_text,
    news,
    render,
    series,
)
from support.parts import TAKEN_AT, WEB_UID, a_pod, a_subject
from support.reports import a_finding, a_report

WEB = Regarding(kind="Pod", namespace="team-a", name="web-x", uid=WEB_UID)
NODE = Regarding(kind="Node", name="node-7", uid="node-7")
PODS = (a_pod(),)
DOWN = Unavailable(reason="WatchEnded", detail="the watch ended")


def after(
    *findings: Finding, known: Known | None = None, pods: tuple[Pod, ...] | Unavailable = PODS, settled: bool = True
) -> tuple[tuple[News, ...], Known]:
    """Return what is told after a scan with these findings, and what is known then."""
    return news(known or {}, a_report(findings=findings), pods, settled=settled)


def a_told(first_seen_at: datetime | None = TAKEN_AT) -> Told:
    """Return a finding that an earlier run of the agent told."""
    return Told(subject=a_subject(), first_seen_at=first_seen_at, regarding=None)


def the(told: tuple[News, ...]) -> News:
    """Return the one thing that is told."""
    (one,) = told
    return one


def test_finding_that_appears_is_told_on_its_pod() -> None:
    """With its message and what to type first, and only once."""
    told, known = after(a_finding())

    one = the(told)
    assert (one.change, one.reason, one.regarding) == (Change.FOUND, "ZombieBuildup", WEB)
    assert one.note == f"{a_finding().message}. Next, on the node: ps --ppid 2311 -o pid,stat,comm"
    assert after(a_finding(), known=known) == ((), known)


def test_finding_that_clears_is_told_once() -> None:
    """With its reason, and since when it was there."""
    _, known = after(a_finding())

    told, cleared = after(known=known)

    one = the(told)
    assert (one.change, one.reason, one.regarding) == (Change.CLEARED, "ZombieBuildup", WEB)
    assert one.note == (
        "ZombieBuildup of team-a/web-x/app is over: scans do not find it any more."
        " It was first seen at 2026-11-21T06:14:03Z."
    )
    assert cleared == {}


def test_finding_that_flaps_keeps_its_topic() -> None:
    """So the Event of the first time can count the second."""
    first, known = after(a_finding())
    over, known = after(known=known)
    again, _ = after(a_finding(message="50 or more zombies"), known=known)

    assert the(first).topic == the(again).topic
    assert the(first).topic != the(over).topic


def test_worst_is_told_first() -> None:
    """Whatever is dropped later, it is not that."""
    worse = a_finding(severity=Severity.CRITICAL, check="pause-gone", reason="PauseGone")

    told, _ = after(a_finding(), worse)

    assert [one.reason for one in told] == ["PauseGone", "ZombieBuildup"]


def test_info_is_silent() -> None:
    """Also when a finding becomes one that asks for something, or ceases to."""
    quiet = a_finding(severity=Severity.INFO)

    told, known = after(quiet)
    assert told == ()
    louder, known = after(a_finding(), known=known)
    assert the(louder).change is Change.FOUND
    assert the(after(quiet, known=known)[0]).change is Change.CLEARED


def test_worse_severity_is_no_news() -> None:
    """There is one type of Event for both."""
    _, known = after(a_finding())

    assert after(a_finding(severity=Severity.CRITICAL), known=known)[0] == ()


def test_other_reason_is_told_anew() -> None:
    """A reason is what people filter by: the old one is over."""
    _, known = after(a_finding(id="namespace-not-shared/web-x", reason="NamespaceNotShared"))

    told, _ = after(a_finding(id="namespace-not-shared/web-x", reason="HostNamespaceJoined"), known=known)

    assert [(one.change, one.reason) for one in told] == [
        (Change.FOUND, "HostNamespaceJoined"),
        (Change.CLEARED, "NamespaceNotShared"),
    ]


def test_node_s_own_finding_is_told_on_the_node() -> None:
    """Both when it appears and when it clears."""
    told, known = after(a_finding(subject=Subject()))

    assert the(told).regarding == NODE
    assert the(after(known=known)[0]).regarding == NODE


def test_orphan_is_told_on_the_node() -> None:
    """Nobody can describe a pod that is not in the API."""
    told, known = after(a_finding(check="orphaned-sandbox", reason="OrphanedSandbox"), pods=())

    assert the(told).regarding == NODE
    over = the(after(known=known, pods=())[0])
    assert (over.change, over.regarding) == (Change.CLEARED, NODE)


def test_static_pod_is_told_with_the_uid_of_its_sandboxes() -> None:
    """The watch's index knows mirror pods by it, and so does kubectl describe."""
    static = a_pod(namespace="kube-system", name="etcd-node-7", uid="5a8f")
    subject = a_subject(namespace="kube-system", pod="etcd-node-7", uid="5a8f")

    told, _ = after(a_finding(subject=subject), pods=(static,))

    assert the(told).regarding == Regarding(kind="Pod", namespace="kube-system", name="etcd-node-7", uid="5a8f")


def test_pods_that_are_not_known_count_as_there() -> None:
    """A watch that fails must not move Events of pods to the Node."""
    assert the(after(a_finding(), pods=DOWN)[0]).regarding == WEB


@pytest.mark.parametrize("name", ["Web", "web_x", "-web", "web x", "\\x1b[2J"])
def test_name_that_no_pod_can_have_is_told_on_the_node(name: str) -> None:
    """A runtime takes any; an Event on such a pod would be refused."""
    for subject in (a_subject(pod=name), a_subject(namespace=name)):
        told, _ = after(a_finding(subject=subject), pods=DOWN)

        assert the(told).regarding == NODE


def test_finding_that_ends_with_its_pod_is_not_told() -> None:
    """Nobody could see it."""
    _, known = after(a_finding())

    assert after(known=known, pods=()) == ((), {})


def test_finding_of_the_stored_report_is_not_told_again() -> None:
    """People know of it since before the agent was restarted."""
    finding = a_finding()

    assert after(finding, known={(finding.id, finding.reason): a_told()})[0] == ()


def test_finding_of_the_stored_report_is_not_over_until_the_agent_has_settled() -> None:
    """A new agent has to look for a while to see it again."""
    finding = a_finding()
    known = {(finding.id, finding.reason): a_told()}

    assert after(known=known, settled=False) == ((), known)
    _, seen_again = after(finding, known=known, settled=False)
    assert the(after(known=seen_again, settled=False)[0]).change is Change.CLEARED
    assert the(after(known=known)[0]).note.endswith("It was first seen at 2026-11-21T09:14:03Z.")


def test_stored_time_that_can_not_be_read_is_left_out() -> None:
    """Whoever wrote it."""
    told, _ = after(known={("a", "ZombieBuildup"): a_told(first_seen_at=None)})

    assert the(told).note == "ZombieBuildup of team-a/web-x/app is over: scans do not find it any more."


def test_note_names_where_to_type() -> None:
    """kubectl runs anywhere, so nothing is said."""
    command = NextCommand(run_on=RunOn.CLUSTER, command="kubectl get node node-7")

    told, _ = after(a_finding(message="It is broken.", next_commands=(command,)))

    assert the(told).note == "It is broken. Next: kubectl get node node-7"


def test_note_without_command_is_the_message() -> None:
    """As it is."""
    assert the(after(a_finding(message="It is broken", next_commands=()))[0]).note == "It is broken"


@pytest.mark.parametrize("length", [1000, 1024, 1025, 4000])
def test_long_note_loses_the_command_and_is_cut_between_characters(length: int) -> None:
    """The API server takes 1024 bytes; half a command, or half a character, would be worse than none."""
    told, _ = after(a_finding(message="ü" * (length // 2) + "x" * (length % 2)))

    note = the(told).note
    assert len(note.encode()) <= 1024
    assert "ps --ppid" not in note
    assert note.endswith("…") == (length > 1024)


def test_event_is_what_the_api_server_takes() -> None:
    """Every field that events.k8s.io/v1 demands, none that it forbids."""
    told, _ = after(a_finding(message="It is broken", next_commands=()))

    event = render(the(told), "node-7")

    assert re.fullmatch(r"web-x\.[0-9a-f]{16}", event["metadata"].pop("name"))
    assert event == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": "team-a"},
        "eventTime": "2026-11-21T09:14:03.000000Z",
        "type": "Warning",
        "reason": "ZombieBuildup",
        "action": "Find",
        "note": "It is broken",
        "regarding": {"apiVersion": "v1", "kind": "Pod", "namespace": "team-a", "name": "web-x", "uid": WEB_UID},
        "reportingController": "pausewatch",
        "reportingInstance": "node-7",
    }


def test_event_about_the_node_is_in_the_default_namespace() -> None:
    """As the kubelet's are; the name of the Node stands in for its uid."""
    _, known = after(a_finding(subject=Subject()))

    event = render(the(after(known=known)[0]), "node-7")

    assert event["metadata"]["namespace"] == "default"
    assert event["regarding"] == {"apiVersion": "v1", "kind": "Node", "name": "node-7", "uid": "node-7"}
    assert (event["type"], event["action"]) == ("Normal", "Clear")


def test_who_tells_the_same_in_the_same_ten_minutes_makes_no_second_event() -> None:
    """Such as another agent of the node, which looked a little later; its end, or the next time, is another Event."""
    found, known = after(a_finding())
    other = replace(the(found), at=TAKEN_AT + timedelta(seconds=30), note="50+ zombies")
    again = replace(the(found), at=TAKEN_AT + timedelta(seconds=SERIES_SECONDS))

    names = [
        render(one, "node-7")["metadata"]["name"] for one in (the(found), other, again, the(after(known=known)[0]))
    ]

    assert names[0] == names[1]
    assert len({*names}) == 3


def test_longest_names_fit() -> None:
    """A pod's and a node's name may have 253 characters; the instance may not."""
    name = "a" * 199 + "." + "b" * 53
    told, _ = after(a_finding(subject=a_subject(pod=name)), pods=(a_pod(name=name),))

    event = render(the(told), name)

    assert re.fullmatch(r"a{199}\.[0-9a-f]{16}", event["metadata"]["name"])
    assert event["regarding"]["name"] == name
    assert len(event["reportingInstance"]) == 128


def test_series_tells_how_often_and_when_last() -> None:
    """With all six digits, which a MicroTime demands."""
    assert series(2, TAKEN_AT) == {"count": 2, "lastObservedTime": "2026-11-21T09:14:03.000000Z"}
    assert micro_time_text(TAKEN_AT + timedelta(microseconds=7)) == "2026-11-21T09:14:03.000007Z"
