"""The PodSandboxReport object."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import yaml

from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, NextCommand, Outcome, RunOn, Severity
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.model.subject import Subject
from pausewatch.sinks import bounds
from pausewatch.sinks.report import Object, render, time_text, to_json, to_yaml
from support.parts import TAKEN_AT, WEB_SANDBOX_ID, WEB_UID, a_sandbox_image, a_subject
from support.reports import a_coverage, a_finding, a_report, the_longest_finding, the_longest_report

SILENT = Unavailable(reason="DeadlineExceeded", detail="the runtime did not answer within 2 s")
LONG = "x" * 2000
WIDE = "𝄞" * 2000
"""Four bytes each."""


def size(rendered: Object) -> int:
    """Return the bytes of an object on its way to the API server."""
    return len(json.dumps(rendered, ensure_ascii=False, separators=(",", ":")).encode())


def noted_bytes(status: Object) -> int:
    """Return what the API server adds of ``managedFields``; tests/e2e/test_size_of_the_report.py measures it."""
    others = 1500 + 100 * len(status["coverage"]["skippedChecks"])
    return others + sum(bounds.noted_bytes(one["id"]) for one in status["findings"])


def test_a_healthy_node() -> None:
    """Every field of an ordinary report, in the order of the schema."""
    assert render(a_report()) == {
        "apiVersion": "pausewatch.github.io/v1alpha1",
        "kind": "PodSandboxReport",
        "metadata": {"name": "node-7"},
        "spec": {"nodeName": "node-7"},
        "status": {
            "reportTime": "2026-11-21T09:14:03Z",
            "staleAfterTime": "2026-11-21T09:39:03Z",
            "runtime": {
                "name": "containerd",
                "version": "2.4.2",
                "sandboxImage": "localhost/pause:3.10",
                "cgroupVersion": "v2",
            },
            "summary": {
                "sandboxes": 2,
                "readySandboxes": 2,
                "containers": 3,
                "pauseProcesses": 2,
                "pidNamespaces": 4,
                "zombies": 0,
                "orphans": 0,
                "critical": 0,
                "warning": 0,
                "info": 0,
            },
            "coverage": {
                "notComparableSandboxes": 0,
                "unreadableProcesses": 0,
                "ignoredFindings": 0,
                "skippedChecks": [],
            },
            "conditions": [
                {
                    "type": "Healthy",
                    "status": "True",
                    "reason": "NoFindings",
                    "message": "2 of 2 checks ran and found nothing",
                    "lastTransitionTime": "2026-11-21T09:14:03Z",
                },
                {
                    "type": "RuntimeReachable",
                    "status": "True",
                    "reason": "RuntimeAnswered",
                    "message": "containerd 2.4.2 answered at unix:///run/containerd/containerd.sock",
                    "lastTransitionTime": "2026-11-21T09:14:03Z",
                },
                {
                    "type": "ScanComplete",
                    "status": "True",
                    "reason": "EverythingRead",
                    "message": "every section of the node was read",
                    "lastTransitionTime": "2026-11-21T09:14:03Z",
                },
            ],
            "findings": [],
            "truncatedFindings": 0,
        },
    }


def test_a_finding() -> None:
    """Who, what, since when, the proof, what to type."""
    (finding,) = render(a_report(findings=(a_finding(),)))["status"]["findings"]

    assert finding == {
        "id": "zombie-buildup/web-x/app/49b6b3a0c1d2",
        "check": "zombie-buildup",
        "reason": "ZombieBuildup",
        "severity": "Warning",
        "pod": {"namespace": "team-a", "name": "web-x", "uid": WEB_UID},
        "sandboxID": WEB_SANDBOX_ID,
        "container": "app",
        "message": "40 or more zombies in the PID namespace of team-a/web-x/app: pid 2311 (app), PID 1 of the"
        " container, does not wait for its children",
        "evidence": [
            {"name": "pidNamespace", "value": "pid:[4026532311]"},
            {"name": "parent", "value": "2311 app"},
        ],
        "firstSeenTime": "2026-11-21T06:14:03Z",
        "nextCommands": [
            {"runOn": "node", "command": "ps --ppid 2311 -o pid,stat,comm"},
            {"runOn": "cluster", "command": "kubectl -n team-a describe pod web-x"},
        ],
        "runbookURL": "https://pausewatch.github.io/checks/zombie-buildup",
    }


def test_a_finding_about_the_node_names_no_pod() -> None:
    """What is unknown is left out rather than empty."""
    (finding,) = render(a_report(findings=(a_finding(subject=Subject()),)))["status"]["findings"]

    assert not {"pod", "sandboxID", "container"} & finding.keys()


def test_a_silent_runtime_leaves_its_name_out() -> None:
    """The counts stay, 0 included."""
    status = render(a_report(runtime=SILENT, sandbox_image=SILENT, sandbox_images=()))["status"]

    assert status["runtime"] == {"cgroupVersion": "v2"}
    assert status["summary"]["zombies"] == 0


@pytest.mark.parametrize(
    ("configured", "in_use", "told"),
    [
        (a_sandbox_image(image="localhost/pause:3.11"), ("localhost/pause:3.10",), "localhost/pause:3.11"),
        (SILENT, ("localhost/pause:3.10",), "localhost/pause:3.10"),
        (SILENT, ("localhost/pause:3.9", "localhost/pause:3.10"), None),
    ],
    ids=["configured", "in use", "several in use"],
)
def test_sandbox_image(configured: SandboxImage | Unavailable, in_use: tuple[str, ...], told: str | None) -> None:
    """The configured one, else the one in use; while a node is being upgraded, no single one of those would be true."""
    status = render(a_report(sandbox_image=configured, sandbox_images=in_use))["status"]

    assert status["runtime"].get("sandboxImage") == told


def test_checks_that_could_not_judge_are_named() -> None:
    """A check that broke is our bug and appears beside those whose input is missing."""
    results = (
        CheckResult(check="a", outcome=Outcome.SKIP, reason="PodsUnavailable", detail="no API server"),
        CheckResult(check="b", outcome=Outcome.ERROR, reason="CheckFailed", detail="KeyError: 5"),
        CheckResult(check="c", outcome=Outcome.PASS),
    )
    report = a_report(results=results, coverage=a_coverage(ignored_findings=4))

    assert render(report)["status"]["coverage"] == {
        "notComparableSandboxes": 0,
        "unreadableProcesses": 0,
        "ignoredFindings": 4,
        "skippedChecks": [
            {"check": "a", "reason": "PodsUnavailable"},
            {"check": "b", "reason": "CheckFailed"},
        ],
    }


def test_the_worst_findings_are_kept_and_the_others_counted() -> None:
    """Counts are those before the cap."""
    findings = [a_finding(subject=a_subject(pod=f"web-{number:03}")) for number in range(99)]
    critical = a_finding(subject=a_subject(pod="zzz"), severity=Severity.CRITICAL)
    status = render(a_report(findings=(*findings, critical)))["status"]

    assert [one["pod"]["name"] for one in status["findings"][:2]] == ["zzz", "web-000"]
    assert len(status["findings"]) == bounds.FINDINGS
    assert status["truncatedFindings"] == 80
    assert (status["summary"]["critical"], status["summary"]["warning"]) == (1, 99)


@pytest.mark.parametrize("text", [LONG, WIDE])
def test_one_finding_fits_16_kib(text: str) -> None:
    """Even with the longest texts."""
    report = a_report(findings=(the_longest_finding(0, text),))

    assert len(render(report)["status"]["findings"]) == 1
    assert size(render(report)) < 16 * 1024


@pytest.mark.parametrize("text", [LONG, WIDE, '"' * 2000])
def test_the_cap_fits_64_kib(text: str) -> None:
    """A quote takes two bytes in JSON, four in the API server's notes; what does not fit is counted."""
    report = the_longest_report(text, node_name="n" * 253)
    status = render(report)["status"]

    assert size(render(report)) + noted_bytes(status) < 64 * 1024
    assert status["findings"]
    assert len(status["findings"]) + status["truncatedFindings"] == 100


def test_ordinary_findings_reach_the_cap() -> None:
    """The limit in bytes is for names nobody chooses by accident."""
    report = a_report(findings=tuple(a_finding(subject=a_subject(pod=f"web-{number}")) for number in range(20)))

    assert len(render(report)["status"]["findings"]) == bounds.FINDINGS
    assert size(render(report)) < 24 * 1024


def test_ids_are_unique_however_long() -> None:
    """The API server rejects a report with two equal keys."""
    report = a_report(findings=tuple(a_finding(id=LONG + str(number)) for number in range(3)))
    ids = [one["id"] for one in render(report)["status"]["findings"]]

    assert len(set(ids)) == 3


def test_a_command_that_is_too_long_is_left_out() -> None:
    """A cut command may do something else than it says."""
    commands = (NextCommand(run_on=RunOn.NODE, command=LONG), NextCommand(run_on=RunOn.NODE, command="true"))
    (finding,) = render(a_report(findings=(a_finding(next_commands=commands),)))["status"]["findings"]

    assert finding["nextCommands"] == [{"runOn": "node", "command": "true"}]


@pytest.mark.parametrize(
    "moment",
    [
        TAKEN_AT,
        TAKEN_AT + timedelta(microseconds=999_999),
        TAKEN_AT.astimezone(timezone(timedelta(hours=5))),
    ],
)
def test_times_are_whole_seconds_of_utc(moment: datetime) -> None:
    """As the API server itself writes them."""
    assert time_text(moment) == "2026-11-21T09:14:03Z"


def test_year_has_four_digits() -> None:
    """A zero time of a Go program may come back to us with a stored report."""
    assert time_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


def test_a_report_is_stale_two_and_a_half_heartbeats_later() -> None:
    """Past that time, nobody writes any more."""
    status = render(a_report(taken_at=datetime(2026, 1, 1, 23, 59, tzinfo=UTC)), heartbeat_seconds=60)["status"]

    assert (status["reportTime"], status["staleAfterTime"]) == ("2026-01-01T23:59:00Z", "2026-01-02T00:01:30Z")


def test_json_and_yaml_hold_the_same_object() -> None:
    """Times stay texts in YAML, which would otherwise read them as dates."""
    rendered = render(a_report(findings=(a_finding(),)))

    assert json.loads(to_json(rendered)) == rendered
    assert yaml.safe_load(to_yaml(rendered)) == rendered
    assert to_yaml(rendered).startswith("apiVersion: pausewatch.github.io/v1alpha1\nkind: PodSandboxReport\n")


def test_a_message_is_one_line_of_yaml() -> None:
    """So that it can be searched for."""
    text = to_yaml(render(a_report(findings=(a_finding(message="many words " * 40),))))

    assert sum("many words many words" in line for line in text.splitlines()) == 2  # the condition has it too


def test_the_same_report_gives_the_same_text() -> None:
    """What is compared to decide about a write must not change by itself."""
    assert to_json(render(a_report(findings=(a_finding(),)))) == to_json(render(a_report(findings=(a_finding(),))))
