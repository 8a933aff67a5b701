import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cli.running import a_recording, finish, run, start
from pausewatch.cli.errors import ExitCode
from pausewatch.cli.scan import exit_code
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, Outcome, Severity
from support.builders import a_snapshot
from support.reports import a_finding, a_report

UNREADABLE = Unavailable(reason="Gone", detail="it is gone", remedy="bring it back")


def test_table_names_pod_and_next_command(critical: str) -> None:
    """What is wrong, with whom, and what to type next."""
    told = run("scan", "--from", critical)

    assert (told.code, told.stderr) == (0, "")
    assert "HostNamespaceJoined" in told.stdout
    assert "team-a/web-x" in told.stdout
    assert "readlink /proc/2311/ns/net" in told.stdout
    assert "checks: " in told.stdout.splitlines()[-1]


def test_object_is_the_resource(critical: str) -> None:
    """`jq .status.findings` works as on the object in the cluster, in both spellings."""
    told = run("scan", "--from", critical, "-o", "json")
    report = json.loads(told.stdout)

    assert told.stderr == ""
    assert (report["kind"], report["metadata"]["name"]) == ("PodSandboxReport", "node-7")
    assert [finding["reason"] for finding in report["status"]["findings"]] == ["HostNamespaceJoined"]
    assert yaml.safe_load(run("scan", "--from", critical, "-o", "yaml").stdout) == report


def test_wide_tells_more(healthy: str) -> None:
    """Everything else that is known, such as what this process can see."""
    table = run("scan", "--from", healthy).stdout
    wide = run("scan", "--from", healthy, "-o", "wide").stdout

    assert "runtime-socket" in wide
    assert "runtime-socket" not in table


def test_unreachable_runtime_is_no_healthy_node(tmp_path: Path) -> None:
    """Nothing on stdout that could be taken for a result."""
    recording = a_recording(tmp_path / "node.json", a_snapshot(), a_snapshot(sandboxes=UNREADABLE))

    told = run("scan", "--from", recording, "-o", "json", "--fail-on", "info")

    assert (told.code, told.stdout) == (1, "")
    assert told.error == "cannot scan: it is gone; bring it back"


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        (Severity.CRITICAL, Severity.CRITICAL, ExitCode.FINDINGS),
        (Severity.CRITICAL, Severity.INFO, ExitCode.FINDINGS),
        (Severity.WARNING, Severity.CRITICAL, ExitCode.OK),
        (Severity.INFO, Severity.INFO, ExitCode.FINDINGS),
        (Severity.CRITICAL, None, ExitCode.OK),
    ],
)
def test_findings_decide_the_exit_code_on_request_only(
    severity: Severity, fail_on: Severity | None, code: ExitCode
) -> None:
    """A finding is no failure of the scan, unless it is as bad as somebody said."""
    report = a_report(findings=(replace(a_finding(), severity=severity),))

    assert exit_code(report, fail_on, require_complete=False) is code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.PASS, ExitCode.OK),
        (Outcome.FAIL, ExitCode.OK),
        (Outcome.SKIP, ExitCode.INCOMPLETE),
        (Outcome.ERROR, ExitCode.INCOMPLETE),
    ],
)
def test_incomplete_scan_has_its_own_exit_code(outcome: Outcome, code: ExitCode) -> None:
    """A check that could not judge, or broke, is no all-clear; without the flag it is told in the table only."""
    report = a_report(results=(CheckResult(check="zombie-buildup", outcome=outcome),), findings=())

    assert exit_code(report, None, require_complete=True) is code
    assert exit_code(report, None, require_complete=False) is ExitCode.OK


def test_finding_outweighs_an_incomplete_scan() -> None:
    """What was found is the worse news."""
    report = a_report(results=(CheckResult(check="zombie-buildup", outcome=Outcome.SKIP),), findings=(a_finding(),))

    assert exit_code(report, Severity.INFO, require_complete=True) is ExitCode.FINDINGS


def test_exit_codes_reach_the_shell(critical: str, informed: str, tmp_path: Path) -> None:
    """The codes in the help are those of the process."""
    partial = a_recording(tmp_path / "node.json", a_snapshot(processes=UNREADABLE))
    processes = [
        start("scan", "--from", critical, "--fail-on", "critical"),
        start("scan", "--from", informed, "--fail-on", "warning"),
        start("scan", "--from", informed, "--fail-on", "info"),
        start("scan", "--from", partial, "--require-complete"),
    ]

    assert [finish(process).code for process in processes] == [10, 0, 10, 11]


@pytest.mark.parametrize(
    "flags", [("--from", "NODE"), ("-o", "json"), ("-o", "yaml"), ("--fail-on", "info"), ("--require-complete",)]
)
def test_watch_refuses_what_has_no_effect(healthy: str, flags: tuple[str, ...]) -> None:
    """It never ends by itself, so there is no result to print or to judge."""
    told = run("scan", "--watch", *(healthy if flag == "NODE" else flag for flag in flags))

    assert told.code == 2
    assert told.error.startswith("--watch ")
