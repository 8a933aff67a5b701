import os
import pty
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cli.running import finish, start
from pausewatch.cli.watch import changes
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Report, Severity
from sources.cri.fake_runtime import FakeRuntime
from support.parts import TAKEN_AT
from support.reports import a_finding, a_report

QUICK = ("--interval", "0.1")


def later(**fields: object) -> Report:
    """Return the report of a minute after."""
    return replace(a_report(**fields), taken_at=TAKEN_AT + timedelta(minutes=1))


def test_start_tells_what_is_watched_and_what_is_there() -> None:
    """The first lines of a log say what it is about."""
    finding = a_finding()

    assert list(changes(None, a_report(findings=(finding,)))) == [
        "2026-11-21T09:14:03Z watching node-7",
        f"2026-11-21T09:14:03Z appeared Warning ZombieBuildup: {finding.message}",
    ]


def test_unchanged_findings_are_silent() -> None:
    """Only changes are told; another wording is none."""
    before = a_report(findings=(a_finding(),))

    assert list(changes(before, later(findings=(replace(a_finding(), message="other numbers"),)))) == []


def test_appearing_and_clearing_are_told_with_their_time() -> None:
    """Each is one line, with the time of the scan that saw it."""
    old, new = a_finding("old"), a_finding("new")

    assert list(changes(a_report(findings=(old,)), later(findings=(new,)))) == [
        f"2026-11-21T09:15:03Z appeared Warning ZombieBuildup: {new.message}",
        "2026-11-21T09:15:03Z cleared Warning ZombieBuildup: team-a/web-x/app",
    ]


def test_other_severity_is_told() -> None:
    """Young zombies that stay become a warning."""
    finding = a_finding()
    before = a_report(findings=(replace(finding, severity=Severity.INFO),))

    assert list(changes(before, later(findings=(finding,)))) == [
        f"2026-11-21T09:15:03Z became Warning ZombieBuildup: {finding.message}"
    ]


def test_unreachable_runtime_is_told_once() -> None:
    """Neither as cleared findings nor in every scan, and its return is told as well."""
    gone = Unavailable(reason="SocketMissing", detail="no socket", remedy="start the runtime")
    reached = a_report(findings=(a_finding(),))
    lost = later(findings=(a_finding(),), unavailable=(("sandboxes", gone),))

    assert list(changes(reached, lost)) == ["2026-11-21T09:15:03Z cannot scan: no socket; start the runtime"]
    assert list(changes(lost, lost)) == []
    assert list(changes(lost, reached)) == ["2026-11-21T09:14:03Z scanning again"]


def test_pipe_gets_lines_until_interrupted(socket: str) -> None:
    """Each line arrives when it is written; a runtime that starts later is found; Ctrl-C ends it quietly."""
    process = start("scan", "--watch", *QUICK, "--runtime-endpoint", socket)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    with FakeRuntime(Path(socket)):
        lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        ended = finish(process)

    assert [line.split(" ", 1)[1].split(":")[0].split()[0] for line in lines] == ["watching", "cannot", "scanning"]
    assert (ended.code, ended.stdout, ended.stderr) == (130, "", "")


def test_terminal_is_drawn_anew(runtime: FakeRuntime, socket: str) -> None:
    """A terminal shows one page, the newest."""
    assert runtime.calls["ListPodSandbox"] == 0
    leader, follower = pty.openpty()
    process = start(
        "scan", "--watch", *QUICK, "--runtime-endpoint", socket, stdout=follower, TERM="xterm", COLUMNS="80"
    )
    os.close(follower)
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        shown = b""
        while shown.count(b"\x1b[2J") < 3:
            shown += terminal.read(4096)
        process.send_signal(signal.SIGINT)
        assert finish(process).code == 130

    assert shown.count(b"checks: ") >= 2
    assert b"what changed:" in shown
    assert b"watching " in shown
