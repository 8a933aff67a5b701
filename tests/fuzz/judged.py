"""From an answer of the runtime to the report: what a parser lets through must break nothing behind it."""

from dataclasses import replace

from pausewatch.checks._check import all_checks
from pausewatch.evaluate import evaluate
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.report import Outcome
from pausewatch.model.settings import Settings
from pausewatch.sinks.report import render, to_json
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate_sandbox import translate_sandbox
from support.builders import a_snapshot
from support.parts import WEB_SANDBOX_ID

MOST_BYTES = 64 * 1024
"""Of a stored report, DESIGN part 2."""


def with_sandbox_status(answer: cri.PodSandboxStatusResponse) -> object:
    """Return the report of a healthy node but for what the runtime tells of one sandbox.

    Raises:
        AssertionError: A check broke, or the report is too large.
    """
    snapshot = a_snapshot()
    assert not isinstance(snapshot.sandboxes, Unavailable)
    sandboxes = tuple(
        translate_sandbox(_listed(), answer) if one.id == WEB_SANDBOX_ID else one for one in snapshot.sandboxes
    )
    changed = replace(snapshot, sandboxes=sandboxes)
    _, history = evaluate(changed, History(), Settings(), all_checks())
    later = replace(changed, uptime_seconds=changed.uptime_seconds + 3600)
    report, _ = evaluate(later, history, Settings(), all_checks())
    broken = [result for result in report.results if result.outcome is Outcome.ERROR]
    assert not broken, broken
    rendered = render(report)
    assert len(to_json(rendered)) < MOST_BYTES
    return rendered


def _listed() -> cri.PodSandbox:
    metadata = cri.PodSandboxMetadata(name="web-x", namespace="team-a", uid="0f8fad5b-d9cb-469f-a165-70867728950e")
    return cri.PodSandbox(id=WEB_SANDBOX_ID, metadata=metadata, state=cri.SANDBOX_READY, created_at=1)
