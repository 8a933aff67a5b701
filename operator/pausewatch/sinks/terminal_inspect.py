"""The sandboxes of a node as a tree: pod, sandbox, pause and containers, and what is wrong with them first."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.text import Text

from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.report import Finding, Report
from pausewatch.model.sandbox import SandboxState
from pausewatch.sinks.inspection import ContainerFacts, ProcessFacts, SandboxFacts, ZombieFacts
from pausewatch.sinks.inspection_namespaces import NamespaceFacts, Verdict
from pausewatch.sinks.page import Line, Page, words
from pausewatch.sinks.report import time_text
from pausewatch.sinks.terminal import STYLES, commands, counted, explained, lasting, until

CELLS = {
    Verdict.SHARED: "shared",
    Verdict.OWN: "own",
    Verdict.HOST: "host",
    Verdict.TARGET: "target",
    Verdict.WRONG: "WRONG",
    Verdict.NOT_JUDGED: "?",
}
"""One word each, the same in every line, so that eyes find the one that differs."""

VERDICTS = {
    Verdict.SHARED: "shared with the sandbox",
    Verdict.OWN: "own",
    Verdict.HOST: "the node's",
    Verdict.TARGET: "shared with the target container",
}

CELL_WIDTH = len("shared")
LINK_WIDTH = len("user:[4026531837]")
LONGEST_ALIGNED_NAME = 20
"""Of a container: a longer one takes what it needs, and does not move all others to the right."""

SHOWN_ID = 13
"""Characters of a CRI id, as crictl shows them; the CRI accepts any unambiguous beginning."""

THIS_COMMAND = "pausewatch inspect "
"""Advised in reports; whoever reads this page has typed it."""

GAP = "  "
KIBIBYTE, MEBIBYTE = 1024, 1024**2


def inspect(report: Report, inspected: Sequence[SandboxFacts], *, wide: bool = False) -> Page:
    """Return sandboxes as a tree, pod by pod, with what is wrong above each.

    Args:
        report: The scan that they were judged in.
        inspected: Those to be shown, the sandboxes of one pod side by side.
        wide: With whole ids, every Linux namespace by number, images and all commands.
    """
    lines: list[Line] = []
    pods = groupby(inspected, key=lambda one: (one.sandbox.namespace, one.sandbox.name))
    for (namespace, name), sandboxes in pods:
        lines += _pod(f"{namespace}/{name}", tuple(sandboxes), wide=wide)
        lines.append(Line(text=Text()))
    found = [finding for facts in inspected for finding in facts.findings]
    about = list(explained(found, wide=wide))
    # `explained` begins with an empty line, which is there already.
    lines += [*about[1:], Line(text=Text())] if about else []
    lines.append(Line(text=_summary(report, inspected)))
    return Page(tuple(lines))


def _pod(name: str, sandboxes: Sequence[SandboxFacts], *, wide: bool) -> Iterator[Line]:
    yield Line(text=words((name, "bold")))
    findings = dict.fromkeys(finding for facts in sandboxes for finding in facts.findings)
    for finding in findings:
        yield from _finding(finding, wide=wide)
    for suspicion in dict.fromkeys(one for facts in sandboxes for one in facts.suspicions):
        label = words(("not sure yet", "bold yellow"), GAP)
        yield Line(label=label, text=Text(f"{suspicion.finding.reason}: {until(suspicion)}"), level=1)
    for facts in sandboxes:
        yield from _sandbox(facts, wide=wide)


def _finding(finding: Finding, *, wide: bool) -> Iterator[Line]:
    label = words((finding.severity.value.upper(), STYLES[finding.severity]), GAP)
    container = f"{GAP}container {finding.subject.container}" if finding.subject.container else ""
    yield Line(label=label, text=words((finding.reason, "bold"), container), level=1)
    yield Line(text=Text(finding.message), level=2)
    further = [one for one in finding.next_commands if not one.command.startswith(THIS_COMMAND)]
    yield from commands(further if wide else further[:1], level=2)


def _sandbox(facts: SandboxFacts, *, wide: bool) -> Iterator[Line]:
    sandbox = facts.sandbox
    identifier = sandbox.id if wide else sandbox.id[:SHOWN_ID]
    parts = (sandbox.state.value, lasting(facts.age_seconds), _addresses(facts))
    yield Line(text=Text(GAP.join((f"sandbox {identifier}", *filter(None, parts)))), level=1)
    members = [("pause", _pause(facts), tuple(_pause_details(facts, wide=wide)))]
    members += [
        (one.container.name, _process(one), tuple(_container_details(one, wide=wide))) for one in facts.containers
    ]
    for text in _sandbox_details(facts, wide=wide):
        yield Line(text=text, level=1, branch="│ ", trunk="│ ")
    column = max(len(name) for name, _, _ in members if len(name) <= LONGEST_ALIGNED_NAME)
    for number, (name, text, details) in enumerate(members, start=1):
        last = number == len(members)
        trunk = "   " if last else "│  "
        label = words((name.ljust(column), "bold"), GAP)
        yield Line(label=label, text=text, level=1, branch="└─ " if last else "├─ ", trunk=trunk)
        for detail in details:
            yield Line(text=detail, label=Text(GAP), level=1, branch=trunk, trunk=trunk)


def _addresses(facts: SandboxFacts) -> str:
    if facts.on_node_network:
        return "the node's network"
    told = ", ".join(facts.details.addresses) if facts.details else ""
    if facts.network_faults or not told:
        return told
    if not facts.addresses_inside:
        unseen = facts.sandbox.state is SandboxState.READY
        return f"{told} (as the runtime reports it, not checked inside the pod)" if unseen else told
    also = [one for one in facts.addresses_inside if facts.details and one not in facts.details.addresses]
    inside = f", and {', '.join(also)}" if also else ""
    links = f", {', '.join(facts.links_up)} up" if facts.links_up else ""
    return f"{told}{inside}{links}"


def _sandbox_details(facts: SandboxFacts, *, wide: bool) -> Iterator[Text]:
    if facts.network_faults:
        inside = ", ".join(facts.addresses_inside) or "no address"
        yield words(_wrong("network"), f"{'; '.join(facts.network_faults)}; inside there is {inside}")
    if facts.not_comparable:
        yield Text(f"not judged: {facts.not_comparable}")
    if facts.zombies:
        yield _zombies(facts.zombies)
    if wide:
        details = facts.details
        runtime = (details.runtime_type, details.runtime_handler) if details else ()
        yield Text(f"pod uid {facts.sandbox.uid}, attempt {facts.sandbox.attempt}, made {time_text(facts.created_at)}")
        yield from (Text(f"runtime {' '.join(filter(None, runtime))}") for _ in [0] if any(runtime))
        yield from (Text(f"orphaned processes are reaped by {facts.reaper}") for _ in [0] if facts.reaper)


def _pause(facts: SandboxFacts) -> Text:
    if facts.pause is None:
        style = "bold red" if facts.findings else ""
        return words(("none", style), f": {facts.no_pause}")
    usage = facts.pause_usage
    image = facts.details.image if facts.details else ""
    parts = (str(facts.pause), lasting(facts.pause.age_seconds), _size(usage.resident_bytes) if usage else "", image)
    return Text(GAP.join(filter(None, parts)))


def _pause_details(facts: SandboxFacts, *, wide: bool) -> Iterator[Text]:
    held = ", ".join(namespace_text(kind, inode) if wide else kind.value for kind, inode in facts.held)
    parts = (f"holds {held}" if held else "", facts.pause_role)
    if any(parts):
        yield Text("; ".join(filter(None, parts)))
    if wide and facts.pause_usage:
        yield Text(f"uses {facts.pause_usage.cpu_percent:.1f} % of one CPU")


def _process(facts: ContainerFacts) -> Text:
    process: ProcessFacts | None = facts.first
    age = lasting(process.age_seconds) if process else ""
    parts = (str(process or ""), facts.container.state.value, age, facts.role)
    return Text(GAP.join(filter(None, parts)))


def _container_details(facts: ContainerFacts, *, wide: bool) -> Iterator[Text]:
    if wide:
        yield from (_namespace(one, facts) for one in facts.namespaces)
    elif facts.namespaces:
        yield Text(GAP).join(_cell(one) for one in facts.namespaces)
        yield from (_namespace(one, facts) for one in facts.namespaces if one.verdict is Verdict.WRONG)
        unknown = dict.fromkeys(one.not_judged for one in facts.namespaces if one.verdict is Verdict.NOT_JUDGED)
        yield from (Text(f"? not judged: {why}") for why in unknown)
    if facts.not_judged and (facts.first or facts.not_judged != "not running"):
        yield Text(f"not judged: {facts.not_judged}")
    if facts.zombies:
        yield _zombies(facts.zombies)
    if wide:
        yield Text(f"container {facts.container.id}, attempt {facts.container.attempt}")
        yield from (Text(f"image {one}") for one in [facts.container.image] if one)


def _cell(facts: NamespaceFacts) -> Text:
    style = "bold red" if facts.verdict is Verdict.WRONG else ""
    return words(f"{facts.kind.value} ", (CELLS[facts.verdict].ljust(CELL_WIDTH), style))


def _namespace(facts: NamespaceFacts, container: ContainerFacts) -> Text:
    match facts.verdict:
        case Verdict.WRONG:
            return words(_wrong(facts.kind.value), f"{facts.link} of {facts.owner}, expected {facts.expected}")
        case Verdict.NOT_JUDGED:
            verdict = f"not judged: {facts.not_judged}"
        case other:
            verdict = VERDICTS[other]
    one = f"; PID 1 is {container.pid_one}" if facts.kind is NamespaceKind.PID and container.pid_one else ""
    return Text(f"{facts.kind.value:7}  {facts.link:{LINK_WIDTH}}  {verdict}{one}")


def _wrong(what: str) -> Text:
    return words(("WRONG", "bold red"), f" {what}: ")


def _zombies(facts: ZombieFacts) -> Text:
    return words((counted(facts.count, "zombie"), "bold yellow"), f", children of pid {', '.join(facts.parents)}")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / MEBIBYTE:.1f} MiB" if size_bytes >= MEBIBYTE else f"{size_bytes // KIBIBYTE} KiB"


def _summary(report: Report, inspected: Sequence[SandboxFacts]) -> Text:
    """Return the last line, the one that stays on the screen: how much was shown, and where else something is wrong."""
    pods = _pods(inspected)
    containers = sum(len(facts.containers) for facts in inspected)
    zombies = sum(group.count for facts in inspected for group in _zombie_groups(facts))
    sick = _pods(facts for facts in inspected if facts.is_sick)
    shown = {finding.id for facts in inspected for finding in facts.findings}
    elsewhere = sum(finding.id not in shown for finding in report.findings)
    counts = f"{counted(len(pods), 'pod')}, {counted(containers, 'container')}, {counted(zombies, 'zombie')}"
    text = words((f"{report.node_name}: ", "bold"), counts)
    text.append(f"; {len(sick):,} with findings" if sick else "; no findings")
    if 0 < len(sick) < len(pods):
        # Of a hundred pods the sick ones are no longer on the screen.
        text.append(f" ({THIS_COMMAND}--problem)")
    if elsewhere:
        text.append(f"; {counted(elsewhere, 'finding')} elsewhere on this node: pausewatch scan")
    return text


def _zombie_groups(facts: SandboxFacts) -> Iterable[ZombieFacts]:
    return filter(None, (facts.zombies, *(one.zombies for one in facts.containers)))


def _pods(inspected: Iterable[SandboxFacts]) -> set[tuple[str, str]]:
    return {(facts.sandbox.namespace, facts.sandbox.name) for facts in inspected}
