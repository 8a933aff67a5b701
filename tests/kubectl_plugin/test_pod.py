from datetime import timedelta

import pytest

from kubectl_plugin.answers import CRITICAL, NOW, pod, read, stored
from pausewatch.kubectl_plugin.pod import about, asked, expectations, pod_object, pod_page
from pausewatch.kubectl_plugin.stored import parse
from pausewatch.model.report import CheckResult, Outcome
from support.parts import a_subject
from support.printed import printed
from support.reports import a_finding

SKIPPED = CheckResult(check="orphaned-sandbox", outcome=Outcome.SKIP, reason="NoApiServer")


@pytest.mark.parametrize(
    ("spec", "kind", "expected"),
    [
        ({}, "network", "one for all containers of the pod, with the pod's address"),
        ({}, "pid", "each container its own: its first process is PID 1 and has to reap orphans"),
        ({}, "user", "the node's"),
        ({"hostNetwork": True}, "network", "the node's (hostNetwork)"),
        ({"hostNetwork": True}, "uts", "the node's with containerd, the pod's with CRI-O (hostNetwork)"),
        ({"hostIPC": True}, "ipc", "the node's (hostIPC)"),
        ({"hostPID": True}, "pid", "the node's (hostPID)"),
        ({"hostUsers": False}, "user", "one of the pod's own (hostUsers: false)"),
        (
            {"shareProcessNamespace": True},
            "pid",
            "one for all containers of the pod (shareProcessNamespace): pause is PID 1 and reaps orphans",
        ),
        (
            {"ephemeralContainers": [{"name": "debugger", "targetContainerName": "app"}, {"name": "free"}]},
            "debugger",
            "the PID namespace of app (ephemeral container)",
        ),
    ],
    ids=str,
)
def test_expected_follows_what_was_asked_for(spec: dict[str, object], kind: str, expected: str) -> None:
    """Never "must equal pause"."""
    assert dict(expectations(asked(pod(spec=spec))))[kind] == expected


def test_pod_is_told_with_its_findings() -> None:
    """Only its own, and where to look closer."""
    other = a_finding(subject=a_subject(pod="other"))
    text = printed(pod_page(asked(pod()), read(findings=(CRITICAL, other)), NOW))

    assert text.startswith("team-a/web-x  Running on node-7\nexpected:\n  network  one for all")
    assert "CRITICAL  NamespaceNotShared  team-a/web-x/app\n" in text
    assert "ZombieBuildup" not in text
    assert "  kubectl events -n team-a --for pod/web-x\n" in text
    assert "  sudo pausewatch inspect team-a/web-x    # on node-7\n" in text
    assert text.endswith("  pausewatch explain NamespaceNotShared\n")


def test_nothing_found_is_told_with_what_that_rests_on() -> None:
    """Which report, how old, and what it did not judge."""
    text = printed(pod_page(asked(pod()), read(results=(SKIPPED,)), NOW))

    assert "found:\n  nothing, in the report of node-7 (3 min ago)\n  not judged there: orphaned-sandbox\n" in text


@pytest.mark.parametrize(
    ("spec", "told"),
    [({}, "not known: there is no report of node-7"), ({"nodeName": None}, "nothing: no node has it yet")],
)
def test_missing_report_is_told(spec: dict[str, object], told: str) -> None:
    """Not known is not healthy."""
    assert told in printed(pod_page(asked(pod(spec=spec)), None, NOW))


def test_stale_report_and_runtime_class_are_told() -> None:
    """What limits what is known."""
    sandboxed = asked(pod(spec={"runtimeClassName": "gvisor"}))
    text = printed(pod_page(sandboxed, read(), NOW + timedelta(days=2)))

    assert "STALE  no word from its agent since" in text
    assert "  class  gvisor: if its processes are not the node's" in text


def test_static_pod_is_known_by_its_manifest() -> None:
    """The kubelet's uid is in an annotation; an earlier pod of the name is told as such."""
    static = asked(pod(uid="of-the-api", annotations={"kubernetes.io/config.mirror": a_subject().uid}))

    assert static.uid == a_subject().uid
    assert "an earlier pod" not in printed(pod_page(static, read(findings=(CRITICAL,)), NOW))
    newer = asked(pod(uid="newer"))
    assert f"it is about an earlier pod of this name, uid {a_subject().uid}" in printed(
        pod_page(newer, read(findings=(CRITICAL,)), NOW)
    )


def test_object_has_the_stored_findings() -> None:
    """As they are, for programs."""
    report = stored(findings=(CRITICAL, a_finding(subject=a_subject(pod="other"))))
    wanted = asked(pod())
    told = pod_object(wanted, parse(report), report, NOW)

    assert told["report"] == "Current"
    assert told["findings"] == report["status"]["findings"][:1]
    assert len(about(wanted, parse(report))) == 1
    assert pod_object(wanted, None, None, NOW) | {"expected": {}} == {
        "pod": {"namespace": "team-a", "name": "web-x", "uid": a_subject().uid, "phase": "Running"},
        "node": "node-7",
        "expected": {},
        "report": "None",
        "findings": [],
    }
