"""``pausewatch inspect``: sandboxes as a tree, what people do by hand with crictl, readlink and nsenter."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import click

from pausewatch.cli.console import show_page, stdout_is_terminal
from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.options import RUNTIME_OPTIONS
from pausewatch.cli.source import FROM_OPTION, Source, require_sandboxes, with_source
from pausewatch.cli.streams import write
from pausewatch.cli.watch import WATCH_OPTIONS, looks, refuse_interval_alone, trouble_of
from pausewatch.model.history import History
from pausewatch.model.sandbox import Sandbox
from pausewatch.model.settings import Settings
from pausewatch.model.text import printable
from pausewatch.model.view import NodeView
from pausewatch.scan import Look
from pausewatch.sinks import report as report_object
from pausewatch.sinks.inspection import SandboxFacts, inspection
from pausewatch.sinks.inspection_object import inspect_object
from pausewatch.sinks.page import Page
from pausewatch.sinks.report import Object, time_text
from pausewatch.sinks.terminal import cannot_look
from pausewatch.sinks.terminal_inspect import inspect as inspect_page

VOLATILE = ("time", "ageSeconds", "cpuPercent", "residentBytes")
"""Fields of an inspection that change although nothing happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line said about the pods to be shown, and how."""

    pod: str | None
    """With or without its namespace."""

    namespace: str | None
    problem: bool
    """Only what something is wrong with."""

    output: str

    def __post_init__(self) -> None:
        if self.namespace and self.pod and "/" in self.pod and not self.pod.startswith(f"{self.namespace}/"):
            raise click.UsageError(f"--namespace {self.namespace} and {self.pod} contradict each other")


@click.command("inspect")
@click.argument("pod", required=False, metavar="[[NAMESPACE/]POD]")
@click.option("-n", "--namespace", metavar="NAMESPACE", help="Only pods of this Kubernetes namespace.")
@click.option("--problem", is_flag=True, help="Only pods with findings, or with something that may become one.")
@click.option(
    "-o", "--output", type=click.Choice(["tree", "wide", "json", "yaml"]), default="tree", show_default=True,
    help="wide adds whole ids, numbers and commands; json and yaml print the same facts as an object.",
)  # fmt: skip
@with_source(*WATCH_OPTIONS, FROM_OPTION, *RUNTIME_OPTIONS)
def command(source: Source, *, watching: bool, interval: float, **given: Any) -> ExitCode:  # noqa: ANN401  options by name
    """Show the sandboxes of this node, or of one pod, as a tree.

    What is wrong comes first. Then, for each sandbox, its pause and containers with their pid, who is PID 1, who has
    to reap, zombies with their parent, and each Linux namespace in one word: shared (with the sandbox), own, host (the
    node's), target (of kubectl debug), WRONG, or ? (not judged). A name without its namespace shows the pods of that
    name in all namespaces.

    \b
      pausewatch inspect
      pausewatch inspect --problem
      pausewatch inspect team-a/web
      pausewatch inspect --namespace team-a -o wide
      pausewatch inspect web -o json | jq '.sandboxes[].findings'
      pausewatch inspect web --watch
      pausewatch inspect web --from node-7.json
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    wanted = Wanted(**given)
    if watching:
        if not source.is_live:
            raise click.UsageError("--watch looks at this node again and again; --from replays a recorded one")
        if wanted.output in ("json", "yaml"):
            raise click.UsageError("--watch shows a tree; for -o json call inspect again and again")
        return _watch(source.settings, interval, wanted)
    refuse_interval_alone()
    (last,) = deque(source.looks(), maxlen=1)
    require_sandboxes(last.snapshot, "inspect")
    inspected = _inspected(last, wanted, missing_is_an_error=True)
    if wanted.output in ("json", "yaml"):
        value = inspect_object(last.snapshot, inspected)
        write(report_object.to_json(value) if wanted.output == "json" else report_object.to_yaml(value))
    else:
        show_page(_page(last, inspected, wanted))
    return ExitCode.OK


def matching(sandboxes: Iterable[Sandbox], wanted: Wanted) -> list[Sandbox]:
    """Return the sandboxes of the pods that are asked for by name and namespace, with those of one pod together.

    Raises:
        CliError: There is no such pod; names the nearest ones.
    """
    every = sorted(sandboxes, key=lambda one: (one.namespace, one.name, one.attempt, one.id))
    inside = [one for one in every if wanted.namespace in (None, one.namespace)]
    if wanted.namespace and not inside:
        there = ", ".join(dict.fromkeys(one.namespace for one in every)) or "none"
        raise CliError(f"no pod of the namespace {printable(wanted.namespace)!r} on this node; there are {there}")
    if wanted.pod is None:
        return inside
    found = [one for one in inside if wanted.pod in (one.name, f"{one.namespace}/{one.name}")]
    if not found:
        raise CliError(f"no pod {printable(wanted.pod)!r} on this node; {_near(inside, wanted.pod)}")
    return found


def _near(sandboxes: Sequence[Sandbox], wanted: str) -> str:
    # Compared with and without the namespace: people forget it, and they mistype it.
    names = {
        name: f"{one.namespace}/{one.name}" for one in sandboxes for name in (one.name, f"{one.namespace}/{one.name}")
    }
    near = dict.fromkeys(names[name] for name in get_close_matches(wanted, names))
    return f"did you mean {' or '.join(near)}?" if near else "pausewatch inspect shows all pods that there are"


def _inspected(found: Look, wanted: Wanted, *, missing_is_an_error: bool) -> tuple[SandboxFacts, ...]:
    node = NodeView(found.snapshot, History())
    try:
        sandboxes = matching(node.sandboxes.values(), wanted)
    except CliError:
        if missing_is_an_error:
            raise
        return ()
    inspected = inspection(node, sandboxes, found.report)
    if not wanted.problem:
        return inspected
    sick = {(one.sandbox.namespace, one.sandbox.name) for one in inspected if one.is_sick}
    return tuple(one for one in inspected if (one.sandbox.namespace, one.sandbox.name) in sick)


def _page(found: Look, inspected: tuple[SandboxFacts, ...], wanted: Wanted) -> Page:
    return inspect_page(found.report, inspected, wide=wanted.output == "wide")


def _watch(settings: Settings, interval_seconds: float, wanted: Wanted) -> ExitCode:
    """Show pods until Ctrl-C: a pod that goes is shown no more, one that comes back is shown again."""
    before: Object | str = ""
    for found in looks(settings, interval_seconds):
        trouble = trouble_of(found.report)
        inspected = () if trouble else _inspected(found, wanted, missing_is_an_error=False)
        page = cannot_look(trouble) if trouble else _page(found, inspected, wanted)
        if stdout_is_terminal():
            show_page(page, clear=True)
            continue
        now: Object | str = trouble or _lasting_facts(inspect_object(found.snapshot, inspected))
        if now != before:
            write(f"{time_text(found.report.taken_at)}\n")
            show_page(page)
            write("\n")
        before = now
    return ExitCode.OK


def _lasting_facts(value: Any) -> Any:  # noqa: ANN401  plain values of JSON
    """Return an inspection without what differs between any two looks."""
    if isinstance(value, dict):
        return {name: _lasting_facts(one) for name, one in value.items() if name not in VOLATILE}
    return [_lasting_facts(one) for one in value] if isinstance(value, list) else value
