"""What the person on call reads."""

from datetime import timedelta

import pytest

from pausewatch.model.report import Evidence, NextCommand, Report, RunOn, Severity, Suspicion
from pausewatch.model.sandbox import ContainerState
from pausewatch.sinks.terminal import scan, with_changes
from support.parts import TAKEN_AT, a_subject
from support.printed import printed
from support.reports import FACTS, a_finding, a_report, a_summary

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


def test_what_changed_stands_below() -> None:
    """What cleared is no longer above; before anything happened there is no such part."""
    page = scan(a_report())

    assert printed(with_changes(page, ())) == printed(page)
    assert printed(with_changes(page, ("one", "another"))) == f"{printed(page)}\nwhat changed:\n  one\n  another\n"
