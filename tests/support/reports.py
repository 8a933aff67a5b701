"""Reports and findings for tests: a healthy scan, and what a check may say about ``node-7``."""
# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

from dataclasses import replace
from datetime import timedelta
from typing import Any

from pausewatch.checks._check import all_checks
from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import (
    CheckResult,
    Coverage,
    Evidence,
    Finding,
    NextCommand,
    Outcome,
    Report,
    RunOn,
    Severity,
    Summary,
)
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.subject import Subject
from support.parts import PAUSE_IMAGE, TAKEN_AT, a_runtime, a_sandbox_image, a_subject

CHECKS = ("namespace-not-shared", "zombie-buildup")

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
"""One thing that is as it should be, and one that is not."""


def a_finding(part: str = "", **changes: Any) -> Finding:
    """Return a warning about zombies of ``team-a/web-x/app``; ``part`` goes into its id."""
    warning = Finding(
        id="",
        check="zombie-buildup",
        reason="ZombieBuildup",
        severity=Severity.WARNING,
        subject=a_subject(),
        message="40 or more zombies in the PID namespace of team-a/web-x/app: pid 2311 (app), PID 1 of the"
        " container, does not wait for its children",
        evidence=(
            Evidence(name="pidNamespace", value="pid:[4026532311]"),
            Evidence(name="parent", value="2311 app"),
        ),
        next_commands=(
            NextCommand(run_on=RunOn.NODE, command="ps --ppid 2311 -o pid,stat,comm"),
            NextCommand(run_on=RunOn.CLUSTER, command="kubectl -n team-a describe pod web-x"),
        ),
        first_seen_at=TAKEN_AT - timedelta(hours=3),
    )
    changed = replace(warning, **changes)
    return changed if changed.id else replace(changed, id=changed.subject.finding_id(changed.check, part))


def a_report(**changes: Any) -> Report:
    """Return the report of the healthy node; with ``findings``, the checks of all but Info ones have failed."""
    findings = tuple(sorted(changes.get("findings", ()), key=lambda one: one.sort_key))
    failed = {finding.check for finding in findings if finding.severity is not Severity.INFO}
    healthy = Report(
        node_name="node-7",
        taken_at=TAKEN_AT,
        runtime=a_runtime(),
        cgroup_version="v2",
        sandbox_image=a_sandbox_image(),
        sandbox_images=(PAUSE_IMAGE,),
        summary=a_summary(),
        zombie_holders=(),
        coverage=a_coverage(),
        unavailable=(),
        results=tuple(
            CheckResult(check=check, outcome=Outcome.FAIL if check in failed else Outcome.PASS)
            for check in sorted({*CHECKS, *(finding.check for finding in findings)})
        ),
        findings=(),
    )
    return replace(healthy, **changes | {"findings": findings})


def the_longest_finding(number: int, text: str) -> Finding:
    """Return a finding whose every text is as long as it can be, if ``text`` is long enough."""
    name = (str(number) + text)[:250]
    return a_finding(
        subject=Subject(namespace=name, pod=name, uid=name, sandbox_id=name, container=name),
        message=text,
        evidence=tuple(Evidence(name=text, value=text) for _ in range(30)),
        next_commands=tuple(NextCommand(run_on=RunOn.NODE, command=text[:512]) for _ in range(30)),
    )


def the_longest_report(text: str, **changes: Any) -> Report:
    """Return a report with a hundred such findings, where none of our checks could judge and little could be read."""
    skipped = tuple(
        CheckResult(check=check.id, outcome=Outcome.SKIP, reason="R" * 40, detail=text) for check in all_checks()
    )
    return a_report(
        runtime=a_runtime(name=text, version=text),
        sandbox_image=a_sandbox_image(image=text),
        findings=tuple(the_longest_finding(number, text) for number in range(100)),
        results=skipped,
        unavailable=(("processes", Unavailable(reason=text, detail=text, remedy=text)),),
        **changes,
    )


def a_summary(**changes: Any) -> Summary:
    """Return the counts of the healthy node."""
    healthy = Summary(
        sandboxes=2,
        ready_sandboxes=2,
        container_states={ContainerState.RUNNING: 3},
        pause_processes=2,
        pause_memory_bytes=1_122_304,
        pid_namespaces=4,
        zombies=0,
    )
    return replace(healthy, **changes)


def a_coverage(**changes: Any) -> Coverage:
    """Return the coverage of a scan that judged everything."""
    return replace(Coverage(not_comparable_sandboxes=0, unreadable_processes=0, ignored_findings=0), **changes)
