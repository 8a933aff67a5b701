"""What the person on call reads."""

from datetime import timedelta

import pytest

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, Evidence, NextCommand, Outcome, Report, RunOn, Severity, Suspicion
from pausewatch.model.sandbox import ContainerState
from pausewatch.sinks.terminal import access, ago, cannot_look, counted, lasting, results_text, scan, with_changes
from support.builders import TAKEN_AT, a_subject
from support.printed import printed
from support.reports import a_coverage, a_finding, a_report, a_summary

SILENT = Unavailable(
    reason="DeadlineExceeded",
    detail="the runtime at unix:///run/containerd/containerd.sock did not answer within 2 s",
    remedy="see `journalctl -u containerd`",
)
CRITICAL = a_finding(
    check="namespace-not-shared",
    reason="HostNamespaceJoined",
    severity=Severity.CRITICAL,
    part="network",
    message="team-a/web-x/app runs in the node's network namespace instead of its sandbox's: traffic to the pod's"
    " address does not reach it",
    evidence=(
        Evidence(name="process", value="2311 app"),
        Evidence(name="linuxNamespace", value="net:[4026531840], of the node"),
    ),
    next_commands=(
        NextCommand(run_on=RunOn.NODE, command="readlink /proc/2311/ns/net /proc/2301/ns/net"),
        NextCommand(run_on=RunOn.NODE, command="pausewatch inspect team-a/web-x"),
        NextCommand(run_on=RunOn.CLUSTER, command="kubectl --namespace team-a delete pod web-x"),
    ),
)
WARNING = a_finding()
INFO = a_finding(
    check="namespace-not-shared",
    reason="ProcessMovedItself",
    severity=Severity.INFO,
    subject=a_subject(container="side"),
    message="team-a/web-x/side moved",
    next_commands=(),
    first_seen_at=TAKEN_AT - timedelta(seconds=1),
)
FACTS = (
    AccessFact(name="runtime-socket", granted=True, detail="containerd 2.4.2 answered"),
    AccessFact(
        name="namespace-links",
        granted=False,
        detail="2 of 5 could not be read",
        lost="whether containers are in the Linux namespaces they should be in",
        remedy="run as root with CAP_SYS_PTRACE",
    ),
)


def broken() -> Report:
    """Return a node with one finding of each severity."""
    return a_report(findings=(CRITICAL, WARNING, INFO))


def test_a_healthy_node_takes_two_lines() -> None:
    """There is nothing to read at night."""
    assert printed(scan(a_report()), width=80, terminal=True) == (
        "node-7: healthy. containerd 2.4.2, 2 sandboxes, 3 containers, 0 zombies\n"
        "2 checks: 2 passed, 0 failed, 0 skipped\n"
    )


def test_findings_at_80_columns() -> None:
    """Worst first; each with the first thing to type, on a line of its own."""
    assert printed(scan(broken(), live=True), width=80, terminal=True) == (
        """\
node-7: NOT HEALTHY (1 critical, 1 warning, 1 info). containerd 2.4.2, 2
sandboxes, 3 containers, 0 zombies

CRITICAL  HostNamespaceJoined  team-a/web-x/app
  team-a/web-x/app runs in the node's network namespace instead of its
  sandbox's: traffic to the pod's address does not reach it
  first seen 2026-11-21T06:14:03Z, 3 h ago
  next, on the node:
    readlink /proc/2311/ns/net /proc/2301/ns/net

WARNING  ZombieBuildup  team-a/web-x/app
  40 or more zombies in the PID namespace of team-a/web-x/app: pid 2311 (app),
  PID 1 of the container, does not wait for its children
  first seen 2026-11-21T06:14:03Z, 3 h ago
  next, on the node:
    ps --ppid 2311 -o pid,stat,comm

INFO  ProcessMovedItself  team-a/web-x/side
  team-a/web-x/side moved
  first seen 2026-11-21T09:14:02Z, just now

what it means, and what to do; -o wide shows every command:
  pausewatch explain HostNamespaceJoined
  pausewatch explain ZombieBuildup
  pausewatch explain ProcessMovedItself

2 checks: 0 passed, 2 failed, 0 skipped
"""
    )


def test_wide_output_holds_everything() -> None:
    """Evidence, every command, ids to search for, and what the scan could see."""
    report = a_report(findings=(CRITICAL,))

    assert printed(scan(report, FACTS, wide=True), width=120, terminal=True) == (
        """\
node-7: NOT HEALTHY (1 critical). containerd 2.4.2, 2 sandboxes, 3 containers, 0 zombies

CRITICAL  HostNamespaceJoined  team-a/web-x/app
  team-a/web-x/app runs in the node's network namespace instead of its sandbox's: traffic to the pod's address does not
  reach it
  first seen 2026-11-21T06:14:03Z
    process         2311 app
    linuxNamespace  net:[4026531840], of the node
    podUID          0f8fad5b-d9cb-469f-a165-70867728950e
    sandboxID       49b6b3a0c1d24e5f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f
    findingID       namespace-not-shared/web-x/app/network/49b6b3a0c1d2
  next, on the node:
    readlink /proc/2311/ns/net /proc/2301/ns/net
    pausewatch inspect team-a/web-x
  then, from the cluster:
    kubectl --namespace team-a delete pod web-x

what it means, and what to do:
  pausewatch explain HostNamespaceJoined

what this process can see:
  ok       runtime-socket: containerd 2.4.2 answered
  MISSING  namespace-links: 2 of 5 could not be read
      not found  whether containers are in the Linux namespaces they should be in
      to get it  run as root with CAP_SYS_PTRACE

2 checks: 1 passed, 1 failed, 0 skipped
"""
    )


def test_a_pipe_gets_one_line_per_message() -> None:
    """For grep, and without distances in time, which would be wrong when read later."""
    text = printed(scan(broken()), width=80)

    assert f"\n  {CRITICAL.message}\n" in text
    assert "ago" not in text
    assert text.isascii()


def test_a_silent_runtime() -> None:
    """Unknown is neither healthy nor broken; the cause stands once, with its remedy."""
    report = a_report(
        runtime=SILENT,
        unavailable=(("sandboxes", SILENT), ("containers", SILENT)),
        results=tuple(
            CheckResult(check=check, outcome=Outcome.SKIP, reason=SILENT.reason, detail="no answer")
            for check in ("namespace-not-shared", "zombie-buildup")
        ),
    )

    assert printed(scan(report), width=80, terminal=True) == (
        """\
node-7: UNKNOWN, the scan is incomplete.

could not be read:
  runtime, sandboxes, containers: the runtime at
  unix:///run/containerd/containerd.sock did not answer within 2 s; see
  `journalctl -u containerd`

2 checks: 0 passed, 0 failed, 2 skipped (namespace-not-shared, zombie-buildup:
no answer)
"""
    )


def test_what_was_not_judged_is_told() -> None:
    """Silence about a sandbox must not be mistaken for its health."""
    coverage = a_coverage(not_comparable_sandboxes=2, ignored_findings=3)

    assert printed(scan(a_report(coverage=coverage))) == (
        """\
node-7: healthy. containerd 2.4.2, 2 sandboxes, 3 containers, 0 zombies
not judged: 2 sandboxes in a virtual machine or a user-space kernel
ignored, as the settings say: 3 findings
2 checks: 2 passed, 0 failed, 0 skipped
"""
    )


def test_unreadable_processes_are_told_with_the_remedy() -> None:
    """They make the verdict unknown."""
    coverage = a_coverage(unreadable_processes=1, unreadable_remedy="run as root")
    text = printed(scan(a_report(coverage=coverage)))

    assert text.startswith("node-7: UNKNOWN, the scan is incomplete. containerd 2.4.2, 2 sandboxes")
    assert "\n  namespace links: the Linux namespaces of 1 first process could not be read; run as root" in text


def test_checks_that_could_not_judge_are_named_with_their_cause() -> None:
    """One missing input can silence many: it is told once. Our own bugs are told apart."""
    results = (
        CheckResult(check="a", outcome=Outcome.SKIP, reason="PodsUnavailable", detail="no API server"),
        CheckResult(check="b", outcome=Outcome.SKIP, reason="PodsUnavailable", detail="no API server"),
        CheckResult(check="c", outcome=Outcome.SKIP, reason="NotComparable"),
        CheckResult(check="d", outcome=Outcome.ERROR, reason="CheckFailed", detail="KeyError:\n 5"),
        CheckResult(check="e", outcome=Outcome.PASS),
        CheckResult(check="f", outcome=Outcome.FAIL),
    )

    assert results_text(results) == (
        "6 checks: 1 passed, 1 failed, 3 skipped (a, b: no API server; c: NotComparable), 1 broke (d: KeyError: 5)"
    )


def test_many_findings_are_capped_unless_wide() -> None:
    """Nobody reads a hundred findings at night; how many more there are, and how bad, is told."""
    findings = tuple(a_finding(subject=a_subject(pod=f"web-{number:03}")) for number in range(100))
    compact, wide = (printed(scan(a_report(findings=findings), wide=wide)) for wide in (False, True))

    assert compact.count("WARNING  ") == 20
    assert "\n80 more findings (80 warning), all with -o wide\n" in compact
    assert wide.count("WARNING  ") == 100
    assert "more findings" not in wide


def a_suspicion(reason: str, looks: int, severity: Severity = Severity.WARNING, seconds_needed: float = 0) -> Suspicion:
    """Return what needs three looks, and maybe some seconds."""
    finding = a_finding(reason=reason, severity=severity)
    return Suspicion(finding=finding, looks=looks, looks_needed=3, seconds_needed=seconds_needed)


def test_what_is_not_sure_yet_is_told_apart() -> None:
    """Neither hidden nor called a finding; what a single look saw, and what asks for nothing, is left out."""
    suspicions = (
        a_suspicion("SeenTwice", 2),
        a_suspicion("SeenForAMoment", 1),
        a_suspicion("OfNoMatter", 2, Severity.INFO),
        a_suspicion("SlowToTell", 2, seconds_needed=600),
    )

    assert printed(scan(a_report(suspicions=suspicions))) == (
        "node-7: healthy. containerd 2.4.2, 2 sandboxes, 3 containers, 0 zombies\n"
        "\n"
        "seen, and not sure yet; --watch and the agent wait until it is:\n"
        "  SeenTwice  team-a/web-x/app  (a finding after 3 scans)\n"
        "  SlowToTell  team-a/web-x/app  (a finding after 600 s, 3 scans at least)\n"
        "\n"
        "2 checks: 2 passed, 0 failed, 0 skipped\n"
    )


def test_few_of_what_is_not_sure_are_told() -> None:
    """They must not push what is sure off the screen."""
    shown = printed(scan(a_report(suspicions=tuple(a_suspicion("SeenTwice", 2) for _ in range(8)))))

    assert shown.count("SeenTwice") == 5
    assert "  and 3 more\n" in shown


@pytest.mark.parametrize("width", [40, 80, 120])
def test_hostile_names_change_nothing(width: int) -> None:
    """Names are text: as long as they may be, with markup in them, or with escapes made printable."""
    names = ("[red]x[/red]", "\\x1b[31mx", "x" * 253)
    findings = tuple(
        a_finding(
            subject=a_subject(pod=name),
            next_commands=(NextCommand(run_on=RunOn.NODE, command=f"pausewatch inspect 'team-a/{name}'"),),
        )
        for name in names
    )
    text = printed(scan(a_report(findings=findings)), width=width, terminal=True)

    assert all(f"\n    pausewatch inspect 'team-a/{name}'\n" in text for name in names)
    assert "\x1b" not in text


def test_the_severity_is_a_word_in_colour() -> None:
    """Colour is never alone."""
    text = printed(scan(broken()), terminal=True, colour=True)

    assert "\x1b[1;31mCRITICAL\x1b[0m" in text
    assert "\x1b[1;33mWARNING\x1b[0m" in text


def test_sandboxes_that_are_not_ready_are_counted_apart() -> None:
    """Where all are ready the number would be noise."""
    states = {ContainerState.RUNNING: 80, ContainerState.EXITED: 8}
    summary = a_summary(sandboxes=42, ready_sandboxes=41, container_states=states, zombies=1576)

    assert printed(scan(a_report(summary=summary))).startswith(
        "node-7: healthy. containerd 2.4.2, 42 sandboxes (41 ready), 88 containers, 1,576 zombies\n"
    )


def test_access_tells_what_is_missing_and_how_to_get_it() -> None:
    """What ``doctor`` prints."""
    assert printed(access(FACTS), width=80, terminal=True) == (
        """\
ok       runtime-socket: containerd 2.4.2 answered
MISSING  namespace-links: 2 of 5 could not be read
    not found  whether containers are in the Linux namespaces they should be in
    to get it  run as root with CAP_SYS_PTRACE

2 preconditions: 1 met, 1 missing
"""
    )


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=2), "2 d ago"),
    ],
)
def test_distances_in_time_have_one_unit(distance: timedelta, text: str) -> None:
    """Rounded down; the absolute time beside it is exact."""
    assert ago(TAKEN_AT - distance, TAKEN_AT) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "sandbox", "1 sandbox"),
        (2, "sandbox", "2 sandboxes"),
        (0, "zombie", "0 zombies"),
        (1576, "check", "1,576 checks"),
    ],
)
def test_numbers_agree_with_their_nouns(number: int, noun: str, text: str) -> None:
    """Thousands are set apart."""
    assert counted(number, noun) == text


def test_what_changed_stands_below() -> None:
    """What cleared is no longer above; before anything happened there is no such part."""
    page = scan(a_report())

    assert printed(with_changes(page, ())) == printed(page)
    assert printed(with_changes(page, ("one", "another"))) == f"{printed(page)}\nwhat changed:\n  one\n  another\n"


def test_what_can_not_be_seen_is_told() -> None:
    """In the place of the page."""
    assert printed(cannot_look("no socket; start the runtime")) == "cannot look  no socket; start the runtime\n"


def test_durations_have_one_unit() -> None:
    """Rounded down; a stepped clock makes none negative."""
    assert [lasting(one) for one in (-1, 0, 59.9, 60, 7199, 7200, 172_799, 172_800)] == [
        "0 s",
        "0 s",
        "59 s",
        "1 min",
        "119 min",
        "2 h",
        "47 h",
        "2 d",
    ]
