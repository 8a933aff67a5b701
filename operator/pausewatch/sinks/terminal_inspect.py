"""The sandboxes of a node as a tree, one screen per pod."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import Sandbox
from pausewatch.model.view import NodeView
from pausewatch.sinks.inspection import (
    ContainerFacts,
    NamespaceFacts,
    SandboxFacts,
    Verdict,
    ZombieFacts,
    inspection,
)
from pausewatch.sinks.page import Line, Page, labelled, words
from pausewatch.sinks.report import time_text

VERDICTS = {
    Verdict.SHARED: "shared with sandbox",
    Verdict.OWN: "own",
    Verdict.HOST: "host",
    Verdict.TARGET: "shared with target container",
}

LINK_COLUMN = len("user:[4026531837]")
"""The longest link to a Linux namespace, so that what follows is aligned."""

SHOWN_ID = 13
"""Characters of a CRI id, as crictl shows them; the CRI accepts any unambiguous beginning."""


def inspect(node: NodeView, sandboxes: Sequence[Sandbox]) -> Page:
    """Return sandboxes as a tree: processes, who is PID 1, who reaps, each Linux namespace, zombies."""
    lines: list[Line] = []
    for facts in inspection(node, sandboxes):
        lines += [Line(text=Text())] if lines else []
        lines += _sandbox(facts)
    return Page(tuple(lines) or (Line(text=Text("no sandboxes")),))


def _sandbox(facts: SandboxFacts) -> Iterator[Line]:
    sandbox = facts.sandbox
    name = f"{sandbox.namespace}/{sandbox.name}"
    yield Line(text=words((name, "bold"), f"  {sandbox.state}  sandbox {sandbox.id[:SHOWN_ID]}"))
    yield from labelled(((label, text) for label, text in _sandbox_rows(facts) if text), level=1)
    for container in facts.containers:
        yield from _container(container)


def _sandbox_rows(facts: SandboxFacts) -> Iterator[tuple[str, Text]]:
    details = facts.details
    if details is not None:
        yield "addresses", Text(", ".join(details.addresses))
        yield "network", _network(facts)
        yield "runtime", Text(" ".join(part for part in (details.runtime_type, details.runtime_handler) if part))
    yield "created", Text(time_text(facts.created_at))
    yield "pause", Text(_pause(facts))
    yield "orphans", Text(f"reaped by {facts.reaper}" if facts.reaper else "")
    yield "holds", Text(" ".join(facts.held))
    yield "zombies", _zombies(facts.zombies)
    yield "not judged", Text(facts.not_comparable)


def _network(facts: SandboxFacts) -> Text:
    if not facts.network_faults:
        return Text()
    inside = ", ".join(facts.addresses_inside) or "no address"
    return words(("WRONG", "bold red"), f": {'; '.join(facts.network_faults)}; there is {inside}")


def _pause(facts: SandboxFacts) -> str:
    if facts.pause is None:
        return f"none: {facts.no_pause}"
    image = f", image {facts.details.image}" if facts.details and facts.details.image else ""
    return f"pid {facts.pause}{image}"


def _container(facts: ContainerFacts) -> Iterator[Line]:
    container = facts.container
    process = f"  pid {facts.first}" if facts.first else ""
    state = f"  {container.state}{process}  id {container.id[:SHOWN_ID]}"
    yield Line(text=words("container ", (container.name, "bold"), state), level=1)
    yield from labelled(((label, text) for label, text in _container_rows(facts) if text), level=2)


def _container_rows(facts: ContainerFacts) -> Iterator[tuple[str, Text]]:
    for one in facts.namespaces:
        pid_one = f"; PID 1 is {facts.pid_one}" if one.kind is NamespaceKind.PID and facts.pid_one else ""
        yield one.kind.value, words(_namespace(one), pid_one)
    yield "zombies", _zombies(facts.zombies)
    yield "not judged", Text(facts.not_judged)


def _namespace(facts: NamespaceFacts) -> Text:
    match facts.verdict:
        case Verdict.WRONG:
            return words(("WRONG", "bold red"), f": expected {facts.expected}, is {facts.link} of {facts.owner}")
        case Verdict.NOT_JUDGED:
            return words(f"{facts.link:{LINK_COLUMN}}  not judged: {facts.not_judged}")
        case verdict:
            return words(f"{facts.link:{LINK_COLUMN}}  {VERDICTS[verdict]}")


def _zombies(facts: ZombieFacts | None) -> Text:
    if facts is None:
        return Text()
    return words((f"{facts.count:,}", "bold yellow"), f", children of pid {', '.join(facts.parents)}")
