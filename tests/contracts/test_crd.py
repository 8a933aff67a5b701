"""The schema of a PodSandboxReport and what is emitted, held together both ways."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import yaml

from contracts.render import SCHEMA, Json, fields, schema
from pausewatch.checks._check import all_checks
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import CheckResult, Evidence, NextCommand, Outcome, Report, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.sinks import bounds
from pausewatch.sinks.conditions import Status, conditions
from pausewatch.sinks.report import render
from support.parts import a_sandbox_image, a_subject
from support.reports import a_coverage, a_finding, a_report

SKIPPED = CheckResult(check="orphaned-sandbox", outcome=Outcome.SKIP, reason="NoApiServer", detail="no API server")
DOWN = Unavailable(reason="SocketMissing", detail="there is no socket", remedy="start the runtime")

BOUNDS = {
    "spec.nodeName": bounds.NAME,
    "status.runtime.name": bounds.SHORT_TEXT,
    "status.runtime.version": bounds.SHORT_TEXT,
    "status.runtime.sandboxImage": bounds.SHORT_TEXT,
    "status.coverage.skippedChecks": bounds.SKIPPED_CHECKS,
    "status.coverage.skippedChecks[].reason": bounds.REASON,
    "status.conditions[].reason": bounds.REASON,
    "status.conditions[].message": bounds.MESSAGE,
    "status.findings": bounds.FINDINGS,
    "status.findings[].id": bounds.FINDING_ID,
    "status.findings[].pod.namespace": bounds.NAMESPACE,
    "status.findings[].pod.name": bounds.NAME,
    "status.findings[].pod.uid": bounds.IDENTIFIER,
    "status.findings[].sandboxID": bounds.IDENTIFIER,
    "status.findings[].container": bounds.CONTAINER,
    "status.findings[].message": bounds.MESSAGE,
    "status.findings[].evidence": bounds.EVIDENCE,
    "status.findings[].evidence[].name": bounds.EVIDENCE_NAME,
    "status.findings[].evidence[].value": bounds.EVIDENCE_VALUE,
    "status.findings[].nextCommands": bounds.NEXT_COMMANDS,
    "status.findings[].nextCommands[].command": bounds.COMMAND,
    "status.findings[].runbookURL": bounds.SHORT_TEXT,
}

DECLARED = {
    "status.coverage.skippedChecks[].check": [check.id for check in all_checks()],
    "status.conditions[].type": [condition.type for condition in conditions(a_report())],
    "status.findings[].check": [check.id for check in all_checks()],
    "status.findings[].reason": [reason.name for check in all_checks() for reason in check.reasons],
}
"""Texts that are never cut, because the program declares them all."""


def everything_long() -> Report:
    """Return a report with more of everything than may be stored, in strings longer than may be stored."""
    long = "x\u00e9" * 2000
    subject = a_subject(namespace=long, pod=long, uid=long, container=long)
    findings = tuple(
        a_finding(
            f"part-{number}",
            subject=replace(subject, sandbox_id=f"{number}{long}"),
            message=long,
            evidence=(Evidence(name=long, value=long),) * 20,
            next_commands=(NextCommand(run_on=RunOn.NODE, command="x" * bounds.COMMAND),) * 20,
        )
        for number in range(60)
    )
    skipped = tuple(replace(SKIPPED, check=f"check-{number}", reason=long) for number in range(100))
    runtime = replace(a_report().runtime, name=long, version=long)  # type: ignore[type-var]
    image = a_sandbox_image(image=long)
    return replace(a_report(findings=findings), results=skipped, runtime=runtime, sandbox_image=image)


REPORTS = {
    "healthy": a_report(),
    "every field": a_report(
        findings=(
            a_finding(),
            a_finding(severity=Severity.CRITICAL, check="orphaned-sandbox", reason="OrphanedSandbox"),
        ),
        coverage=a_coverage(ignored_findings=1, unreadable_processes=2, not_comparable_sandboxes=3),
        results=(SKIPPED,),
    ),
    "runtime down": a_report(
        runtime=DOWN, unavailable=(("sandboxes", DOWN),), cgroup_version="", sandbox_image=DOWN, sandbox_images=()
    ),
    "everything long": everything_long(),
    "next to nothing": a_report(
        findings=(a_finding(subject=Subject(), message="", evidence=(), next_commands=()),), results=()
    ),
}


def emitted_paths(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401  any JSON
    """Yield the path of every field of an object, as ``render.fields`` does of a schema."""
    if isinstance(value, dict):
        for name, child in value.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            yield from emitted_paths(child, inner)
    elif isinstance(value, list):
        for child in value:
            yield from emitted_paths(child, f"{path}[]")


def schema_fields() -> dict[str, Json]:
    """Return the fields of spec and status by path."""
    return {path: node for path, node in fields(schema()) if path.split(".")[0] in ("spec", "status")}


def test_everything_emitted_is_in_the_schema_and_everything_in_the_schema_is_emitted() -> None:
    """The API server drops a field that the schema lacks; a field that nobody writes is an empty promise."""
    emitted = {path for report in REPORTS.values() for path in emitted_paths(render(report))}

    assert {path for path in emitted if path.split(".")[0] in ("spec", "status")} == set(schema_fields())


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_emitted_satisfies_the_schema(name: str) -> None:
    """The API server rejects a whole report for one string that is too long."""
    jsonschema.Draft202012Validator(dict(schema())).validate(render(REPORTS[name]))


def test_the_schema_has_the_lengths_that_are_kept() -> None:
    """One number in two places, held together."""
    found = {path: node.get("maxItems", node.get("maxLength")) for path, node in schema_fields().items()}
    bounded = {path: bound for path, bound in found.items() if bound is not None}

    assert bounded.pop("status.conditions") >= len(conditions(a_report()))
    assert {path: bound for path, bound in bounded.items() if path not in DECLARED} == BOUNDS


@pytest.mark.parametrize("path", DECLARED)
def test_what_is_declared_fits(path: str) -> None:
    """A check with a longer id would lose every report that holds its findings."""
    assert max(len(text.encode()) for text in DECLARED[path]) <= schema_fields()[path]["maxLength"]


def test_closed_sets_are_those_of_the_program() -> None:
    """A value that the schema does not know would lose the whole report."""
    found = {path: node["enum"] for path, node in schema_fields().items() if "enum" in node}

    assert found == {
        "status.runtime.cgroupVersion": ["v1", "v2", "hybrid"],
        "status.conditions[].status": list(Status),
        "status.findings[].severity": list(Severity),
        "status.findings[].nextCommands[].runOn": list(RunOn),
    }


@pytest.mark.parametrize(
    ("path", "node"), schema_fields().items(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_field_is_bounded_and_explained(path: str, node: Json) -> None:
    """An unbounded field can fill etcd; `kubectl explain` is where people look a field up."""
    assert len(node["description"]) > len("The value"), path
    if node["type"] == "array":
        assert node["maxItems"]
        assert node["x-kubernetes-list-type"] in ("map", "atomic")
    if node["type"] == "string":
        assert {"maxLength", "enum", "format"} & set(node), path
    if node["type"] == "integer":
        assert node["format"] == "int32"
        assert node["minimum"] == 0


def test_printer_columns_are_the_promised_ones() -> None:
    """What `kubectl get psr` shows, and what only `-o wide` does."""
    columns = yaml.safe_load(SCHEMA.read_text())["spec"]["versions"][0]["additionalPrinterColumns"]
    shown = [column["name"].upper() for column in columns if not column.get("priority")]
    wide = [column["name"].upper() for column in columns if column.get("priority")]

    assert shown == ["HEALTHY", "REASON", "CRITICAL", "WARNING", "ORPHANS", "ZOMBIES", "UPDATED", "AGE"]
    assert wide == ["SANDBOXES", "RUNTIME", "MESSAGE"]
