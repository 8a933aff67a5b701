"""Whatever something on the node calls itself reaches nobody who reads: not a terminal, label, Event, JSON or log."""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from checks.test_all_checks import later, looked_at
from contracts.render import schema
from pausewatch.agent.startup import start_text
from pausewatch.cli.errors import CliError
from pausewatch.cli.explain import find
from pausewatch.cli.watch import changes
from pausewatch.model.history import History
from pausewatch.model.report import Report
from pausewatch.model.snapshot import NO_API_SERVER, Snapshot
from pausewatch.model.view import NodeView
from pausewatch.sinks import bounds, events, terminal, terminal_inspect
from pausewatch.sinks import report as report_object
from pausewatch.sinks.exposed import Exposed
from pausewatch.sinks.inspection import inspection
from pausewatch.sinks.inspection_object import inspect_object
from pausewatch.sinks.metrics import OPENMETRICS, Metrics
from support.health import a_health
from support.hostile import HOSTILE, hostile, with_names
from support.printed import printed
from support.reports import a_report
from support.sick import a_sick_snapshot

STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""What the program itself colours with."""

LEAST_FINDINGS = 12
"""Checks that find something however all names are changed, ids included."""


def unsafe(text: str) -> list[str]:
    """Return what in a text may do anything but be read; lines end as they should."""
    return [
        repr(one)
        for one in STYLE.sub("", text)
        if one != "\n" and (unicodedata.category(one)[0] == "C" or one in "\u2028\u2029")
    ]


def texts_in(value: Any) -> Iterator[str]:  # noqa: ANN401  plain values
    """Yield every text in an object, names of fields included."""
    if isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, str):
        yield value


@cache
def a_hostile_node(more: bytes | str) -> tuple[Snapshot, Report]:
    """Return a node with many faults on which every name has something hostile in it, and its report."""
    snapshot = with_names(a_sick_snapshot(), lambda text: hostile(text, more))
    return later(snapshot), looked_at(snapshot, later(snapshot))


@cache
def pages(more: bytes | str) -> dict[str, str]:
    """Return everything that people are shown, by where."""
    snapshot, report = a_hostile_node(more)
    inspected = inspection(NodeView(snapshot, History()), snapshot_sandboxes(snapshot), report)
    shown = {
        "table": terminal.scan(report, snapshot.access),
        "wide": terminal.scan(report, snapshot.access, wide=True, live=True),
        "tree": terminal_inspect.inspect(report, inspected),
        "wide tree": terminal_inspect.inspect(report, inspected, wide=True),
        "doctor": terminal.access(snapshot.access),
    }
    return {
        **{f"{name} in a pipe": printed(page) for name, page in shown.items()},
        **{f"{name}, {width} columns": printed(page, width=width, terminal=True, colour=True)
           for name, page in shown.items() for width in (40, 200)},
        "the agent's log": start_text({"node": "node-7"}, snapshot.access),
        "lines of --watch": "\n".join((*changes(None, report), *changes(report, a_report()))),
    }  # fmt: skip


def snapshot_sandboxes(snapshot: Snapshot) -> list[Any]:
    """Return the sandboxes of a node."""
    return list(NodeView(snapshot, History()).sandboxes.values())


@cache
def objects(more: bytes | str) -> dict[str, Any]:
    """Return everything that programs are given, by what it is."""
    snapshot, report = a_hostile_node(more)
    inspected = inspection(NodeView(snapshot, History()), snapshot_sandboxes(snapshot), report)
    told, known = events.news({}, report, NO_API_SERVER, settled=True)
    over, _ = events.news(known, a_report(), NO_API_SERVER, settled=True)
    assert told
    assert over
    return {
        "report": report_object.render(report),
        "inspection": inspect_object(snapshot, inspected),
        **{f"Event {number}": events.render(one, "node-7") for number, one in enumerate((*told, *over))},
    }


def held_to_it(more: bytes | str) -> None:
    """Assert that nothing gets through anywhere."""
    for where, text in pages(more).items():
        assert not unsafe(text), where
    for name, value in objects(more).items():
        assert [one for one in texts_in(value) if unsafe(one) or "\n" in one] == [], name
        assert json.loads(report_object.to_json(value)) == value
        assert not unsafe(report_object.to_json(value))
        if name.startswith("Event"):
            assert len(value["note"].encode()) <= bounds.MESSAGE
            assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", value["metadata"]["name"])
    as_yaml = report_object.to_yaml(objects(more)["report"])
    assert yaml.safe_load(as_yaml) == objects(more)["report"]
    assert not unsafe(as_yaml)
    jsonschema.Draft202012Validator(dict(schema())).validate(objects(more)["report"])


@pytest.mark.parametrize("more", HOSTILE, ids=lambda one: ascii(one)[:20])
def test_nothing_hostile_gets_through(more: bytes | str) -> None:
    """Into every page, object, Event and log line; the report fits the schema, and findings are not fewer."""
    _, report = a_hostile_node(more)

    assert len({finding.check for finding in report.findings}) >= LEAST_FINDINGS
    held_to_it(more)


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_no_text_gets_through(more: bytes | str) -> None:
    """The same of any bytes and any text, lone surrogates included."""
    held_to_it(more)


@pytest.mark.parametrize("more", HOSTILE, ids=lambda one: ascii(one)[:20])
def test_no_line_is_forged(more: bytes | str) -> None:
    """There are as many lines as with harmless names: each message is one."""
    harmless = {where: pages("x")[where].count("\n") for where in ("table in a pipe", "lines of --watch")}

    assert {where: pages(more)[where].count("\n") for where in harmless} == harmless


@pytest.mark.parametrize("more", HOSTILE, ids=lambda one: ascii(one)[:20])
def test_no_sample_is_forged(more: bytes | str) -> None:
    """Prometheus reads the very labels back, and no other family."""
    _, report = a_hostile_node(more)
    exposed = Metrics(lambda: Exposed(health=a_health(), report=report))
    harmless = Metrics(lambda: Exposed(health=a_health(), report=a_hostile_node("x")[1]))
    expected = {finding.subject.pod for finding in report.findings if finding.subject.pod}

    for accept, parse in ((OPENMETRICS, parse_openmetrics), ("text/plain", parse_text)):
        text = exposed.render(accept)[0].decode()
        families = list(parse(text))
        assert not unsafe(text)
        assert {one.name for one in families} == {one.name for one in parse(harmless.render(accept)[0].decode())}
        pods = {sample.labels.get("pod", "") for family in families for sample in family.samples} - {""}
        assert expected <= pods


@pytest.mark.parametrize("more", HOSTILE, ids=lambda one: ascii(one)[:20])
def test_what_is_typed_is_not_echoed_raw(more: bytes | str) -> None:
    """A name that somebody pastes from a node comes back in an error."""
    typed = more if isinstance(more, str) else more.decode("utf-8", "surrogateescape")
    with pytest.raises(CliError) as error:
        find(f"no-such-check{typed}")

    assert not unsafe(str(error.value))
    assert "\n" not in str(error.value)


def test_guard_sees_what_is_not_escaped() -> None:
    """The check of this page itself can fail."""
    for raw in ("\x1b]0;x\x07", "\u202e", "\r", "\x9b", "\udcff", "\u2028"):
        assert unsafe(raw)
    assert not unsafe("\x1b[1;31mWRONG\x1b[0m\n")
