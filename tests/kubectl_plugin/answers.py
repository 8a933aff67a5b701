"""A program in the place of kubectl, told what to print for which arguments; and reports as they are stored."""
# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

import json
import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cli.running import Ended
from pausewatch.kubectl_plugin.main import NAME, plugin
from pausewatch.kubectl_plugin.stored import StoredReport, parse
from pausewatch.model.report import Severity
from pausewatch.sinks.report import Object, render
from support.parts import TAKEN_AT, a_subject
from support.reports import a_finding, a_report

NOW = TAKEN_AT + timedelta(minutes=3)

CRITICAL = a_finding(
    check="namespace-not-shared",
    reason="NamespaceNotShared",
    severity=Severity.CRITICAL,
    message="team-a/web-x/app runs in a network namespace that belongs to no known pod",
)


def stored(name: str = "node-7", *, taken_at: datetime = TAKEN_AT, **changes: Any) -> Object:
    """Return a report as it is stored."""
    return render(a_report(node_name=name, taken_at=taken_at, **changes))


def read(name: str = "node-7", **changes: Any) -> StoredReport:
    """Return the same as values."""
    return parse(stored(name, **changes))


def pod(name: str = "web-x", *, spec: Mapping[str, Any] | None = None, **metadata: Any) -> Object:
    """Return a running pod of ``node-7`` as the API has it."""
    return {
        "metadata": {"namespace": "team-a", "name": name, "uid": a_subject().uid} | metadata,
        "spec": {"nodeName": "node-7"} | dict(spec or {}),
        "status": {"phase": "Running"},
    }


def node(name: str, ready: str) -> Object:
    """Return a Node with the status of its condition Ready; empty for one whose kubelet has never told."""
    conditions = [{"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "status": {"conditions": conditions} if ready else {}}


def page(*reports: Object, following: str = "") -> str:
    """Return a page of a list."""
    return json.dumps({"metadata": {"continue": following}, "items": reports})


def kubectl(folder: Path, answers: Mapping[str, str], refusals: Mapping[str, str] | None = None) -> Path:
    """Put a program called kubectl into a folder.

    Args:
        folder: Where.
        answers: What it prints, by a part of its arguments; the first that fits.
        refusals: The same for what it says on stderr before it ends with 1.
    """
    lines = ["#!/bin/sh", 'case " $* " in']
    for number, (part, text) in enumerate((*(refusals or {}).items(), *answers.items())):
        (folder / f"{number}").write_text(text)
        end = ">&2; exit 1" if part in (refusals or {}) else ""
        lines.append(f"*{shlex.quote(part)}*) cat {folder / str(number)} {end};;")
    lines += ['*) echo "unexpected: $*" >&2; exit 1;;', "esac"]
    program = folder / "kubectl"
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)
    return program


def run(folder: Path, *arguments: str) -> Ended:
    """Run the plugin with the kubectl of a folder."""
    path = f"{folder}:/usr/bin:/bin"
    result = CliRunner().invoke(plugin, arguments, prog_name=NAME, env={"PATH": path})
    return Ended(code=result.exit_code, stdout=result.stdout, stderr=result.stderr)
