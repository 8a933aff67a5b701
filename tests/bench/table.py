"""What was measured, as a table in Markdown: ratios first, because those carry over to other machines."""

from collections.abc import Callable, Iterator, Sequence

from bench.node_state import NODE_EXPORTER, ZOMBIE_COUNT, Measured

Cell = Callable[[Measured], str]


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def _milliseconds(value: float) -> str:
    return f"{value:,.1f}"


def _calls(value: float) -> str:
    return f"{value:,.0f}"


RATIOS: Sequence[tuple[str, Cell]] = (
    ("one warm look / one `lsns` (budget 0.125)", lambda one: _ratio(one.costs.look / one.costs.lsns)),
    ("sweep of /proc with namespace links / C program (budget 1.0)", lambda one: _ratio(one.costs.proc / one.costs.c)),
    ("one warm look / C program", lambda one: _ratio(one.costs.look / one.costs.c)),
    ("one warm look / `ps` and `awk`", lambda one: _ratio(one.costs.look / one.costs.peers[ZOMBIE_COUNT])),
    ("one warm look / scrape of node_exporter", lambda one: _ratio(one.costs.look / one.costs.peers[NODE_EXPORTER])),
    ("loop that people type / one warm look", lambda one: _ratio(one.typed_loop / one.costs.look)),
    ("system calls of `lsns` / of one warm look", lambda one: _ratio(one.lsns_calls / sum(one.look_calls.values()))),
)

FIGURES: Sequence[tuple[str, Cell]] = (
    ("processes on the whole machine", lambda one: f"{one.costs.processes:,}"),
    ("pauses and containers, whose namespaces are compared", lambda one: f"{one.costs.first_processes:,}"),
    ("**one warm look**, ms of CPU", lambda one: f"**{_milliseconds(one.costs.look)}**"),
    ("of it: the runtime's lists", lambda one: _milliseconds(one.costs.cri)),
    ("of it: /proc, with namespace links", lambda one: _milliseconds(one.costs.proc)),
    ("of it: all checks and the report", lambda one: _milliseconds(one.costs.judging)),
    ("one warm look, ms that pass", lambda one: _milliseconds(one.costs.wall)),
    ("C program, the same reads of /proc, ms of CPU", lambda one: _milliseconds(one.costs.c)),
    ("`ps` and `awk`, which count zombies", lambda one: _milliseconds(one.costs.peers[ZOMBIE_COUNT])),
    ("node_exporter, one scrape of its processes collector", lambda one: _milliseconds(one.costs.peers[NODE_EXPORTER])),
    ("`lsns`", lambda one: _milliseconds(one.costs.lsns)),
    ("loop that people type, by a part of it", lambda one: _milliseconds(one.typed_loop)),
    ("spent by the runtime on answering one look, not in our figures", lambda one: _milliseconds(one.costs.runtime)),
    ("system calls of one warm look", lambda one: _calls(sum(one.look_calls.values()))),
    ("system calls of `lsns`", lambda one: _calls(one.lsns_calls)),
)


def table(measured: Sequence[Measured]) -> str:
    """Return both parts as one table, a column for each state."""
    return "\n".join(_rows(measured))


def _rows(measured: Sequence[Measured]) -> Iterator[str]:
    yield _row("", (str(one.state) for one in measured))
    yield _row("---", ("---" for _ in measured))
    for name, cell in (*RATIOS, *FIGURES):
        yield _row(name, map(cell, measured))


def _row(name: str, cells: Iterator[str]) -> str:
    return f"| {' | '.join((name, *cells))} |"
