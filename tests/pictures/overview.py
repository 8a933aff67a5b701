"""One overview picture per dashboard: every panel, drawn by matplotlib from what a real Prometheus answered.

No Grafana is involved, and the pictures say so: they show which panels there are, in order and size, and real data.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from contracts.dashboard_model import COLUMNS, Dashboard, Kind, Panel
from pictures.answers import DASHBOARDS

INCHES = 0.62
"""Width of one column of Grafana's grid; a row of it is a little lower."""

ROW_INCHES = 0.36
DPI = 100

MARK = "#1f2328"
FAINT = "#57606a"
GRID = "#d8dee4"
PAGE, SHEET = "#f0f2f5", "#ffffff"
COLORS = {"green": "#2da44e", "red": "#cf222e", "orange": "#e16f24"}
LINES = ("#0969da", "#e16f24", "#2da44e", "#8250df", "#bf3989", "#9a6700", "#1b7c83", "#cf222e")

LEGEND_LINES = 4
LONGEST_CELL = 34

FOOT = (
    "Not a screenshot of Grafana: drawn by matplotlib (make pictures) from the answers of a real Prometheus to the"
    " queries of the panels, in tests/e2e/test_prometheus.py, where a minute is a second."
)

Series = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands on Grafana's grid, from the top left."""

    left: int
    top: int
    width: int
    height: int


def draw_overviews(file: Path, folder: Path) -> list[Path]:
    """Draw both dashboards, and return where they are.

    Args:
        file: Written by ``answers.keep_answers``.
        folder: For ``dashboard-fleet.png`` and ``dashboard-node.png``.
    """
    kept = json.loads(file.read_text(encoding="utf-8"))
    mpl.rcParams.update({"font.family": "DejaVu Sans", "font.size": 8, "text.color": MARK, "axes.edgecolor": GRID})
    return [_draw(one, kept["answers"][one.uid], kept["now"], folder) for one in DASHBOARDS]


def _draw(dashboard: Dashboard, answers: Mapping[str, list[Series]], now: float, folder: Path) -> Path:
    placed = list(_placed(dashboard))
    rows = max(place.top + place.height for _, place in placed) + 3
    figure = Figure(figsize=(COLUMNS * INCHES, rows * ROW_INCHES), dpi=DPI, facecolor=PAGE)
    figure.text(0.012, 1 - 0.95 / rows, dashboard.title, fontsize=15, fontweight="bold", va="center")
    figure.text(0.012, 1 - 1.65 / rows, dashboard.description, fontsize=9, color=FAINT, va="center")
    figure.text(0.012, 0.5 / rows, FOOT, fontsize=8, color=FAINT, va="center")
    for what, place in placed:
        top = 1 - (place.top + 2) / rows
        if isinstance(what, str):
            figure.text(0.012, top - 0.6 / rows, what, fontsize=11, fontweight="bold", va="center")
            continue
        height = place.height / rows
        gap_x, gap_y = 0.1 / COLUMNS, 0.1 / rows
        left = place.left / COLUMNS
        sheet = figure.add_axes(
            (left + gap_x, top - height + gap_y, place.width / COLUMNS - 2 * gap_x, height - 2 * gap_y)
        )
        sheet.set_facecolor(SHEET)
        sheet.set_xticks([])
        sheet.set_yticks([])
        sheet.set_xlim(0, place.width)
        sheet.set_ylim(place.height, 0)
        sheet.text(0.2, 0.55, what.title, fontsize=9, fontweight="bold", va="center")
        {Kind.STAT: _stat, Kind.TABLE: _table, Kind.TIME_SERIES: _graph}[what.kind](sheet, what, answers, now)
    path = folder / f"dashboard-{dashboard.uid.removeprefix('pausewatch-')}.png"
    figure.savefig(path, facecolor=PAGE)
    return path


def _placed(dashboard: Dashboard) -> Iterator[tuple[Panel | str, Place]]:
    """Yield headings and panels with their places, as ``dashboard_model`` gives them to Grafana."""
    top = 0
    for row in dashboard.rows:
        yield row.title, Place(left=0, top=top, width=COLUMNS, height=1)
        left, top, height = 0, top + 1, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                left, top, height = 0, top + height, 0
            yield panel, Place(left=left, top=top, width=panel.width, height=panel.height)
            left, height = left + panel.width, max(height, panel.height)
        top += height


def _stat(sheet: Axes, panel: Panel, answers: Mapping[str, list[Series]], _: float) -> None:
    found = answers[panel.queries[0].expression]
    value = float(found[0]["value"][1]) if found else None
    text, color = panel.when_empty or "no data", ""
    if value is not None:
        text = _number(value, panel.unit)
        reached = [name for bound, name in panel.steps if value >= bound]
        color = (reached[-1] if reached else "green") if panel.steps else ""
        text, color = panel.value_texts.get(int(value), (text, color))
    sheet.set_facecolor(COLORS.get(color, SHEET))
    mark = SHEET if color else MARK
    sheet.texts[0].set_color(mark)
    sheet.text(
        panel.width / 2, panel.height * 0.6, text, ha="center", va="center", color=mark,
        fontsize=26 if value is not None else 11, fontweight="bold",
    )  # fmt: skip


def _table(sheet: Axes, panel: Panel, answers: Mapping[str, list[Series]], now: float) -> None:
    rows = _table_rows(panel, answers)
    if not rows:
        sheet.text(panel.width / 2, panel.height / 2, panel.when_empty, ha="center", va="center", color=FAINT)
        return
    texts = [[_cell(row.get(column.label, ""), column.unit, now) for column in panel.columns] for row in rows]
    widths = [
        max(len(one) for one in (column.title, *texts_of)) + 2
        for column, *texts_of in zip(panel.columns, *texts, strict=True)
    ]
    starts = [0.3 + (panel.width - 0.6) * sum(widths[:number]) / sum(widths) for number in range(len(widths))]
    for column, start in zip(panel.columns, starts, strict=True):
        sheet.text(start, 1.6, column.title, color=FAINT, va="center", fontsize=8)
    for number, line in enumerate(texts[: panel.height - 3]):
        y = 2.55 + number * 0.85
        sheet.plot([0.2, panel.width - 0.2], [y - 0.42, y - 0.42], color=GRID, linewidth=0.8)
        for column, start, text in zip(panel.columns, starts, line, strict=True):
            color = COLORS.get(column.colors.get(text, ""), "#0969da" if column.link else MARK)
            sheet.text(start, y, text, va="center", color=color, fontsize=8)


def _table_rows(panel: Panel, answers: Mapping[str, list[Series]]) -> list[dict[str, Any]]:
    """Return one row per set of labels, with the value of each query, sorted as the panel says."""
    merged: dict[frozenset[tuple[str, str]], dict[str, Any]] = {}
    for query in panel.queries:
        for one in answers[query.expression]:
            row = merged.setdefault(frozenset(one["metric"].items()), dict(one["metric"]))
            row[query.legend] = float(one["value"][1])
    labels = {column.title: column.label for column in panel.columns}
    rows = list(merged.values())
    for title, largest_first in reversed(panel.sorted_by):
        rows.sort(key=lambda row, label=labels[title]: row.get(label, ""), reverse=largest_first)  # type: ignore[misc]
    return rows


def _cell(value: str | float, unit: str, now: float) -> str:
    if unit == "dateTimeFromNow":
        return f"{now - float(value) / 1000:.0f} seconds ago"
    text = f"{value:g}" if isinstance(value, float) else value
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _graph(sheet: Axes, panel: Panel, answers: Mapping[str, list[Series]], now: float) -> None:
    lines = sorted(
        (
            (_legend(query.legend, one["metric"]), [(at - now, float(value)) for at, value in one["values"]])
            for query in panel.queries
            for one in answers[query.expression]
        ),
        key=lambda line: -max(value for _, value in line[1]),
    )
    if not lines:
        sheet.text(panel.width / 2, panel.height / 2, panel.when_empty or "no data", ha="center", color=FAINT)
        return
    legend = min(len(lines), LEGEND_LINES)
    bottom = 0.12 + 0.075 * legend
    axes = sheet.inset_axes((0.12, bottom, 0.84, 0.84 - bottom))
    axes.set_facecolor(SHEET)
    for number, (color, (name, values)) in enumerate(zip(_cycle(), lines, strict=False)):
        times, numbers = zip(*values, strict=True)
        axes.plot(times, numbers, color=color, linewidth=1.6, solid_capstyle="butt")
        axes.fill_between(times, numbers, color=color, alpha=0.08, linewidth=0)
        if number < legend:
            y = panel.height * (1 - 0.035 - 0.075 * (legend - 1 - number))
            sheet.plot([0.25, 0.6], [y, y], color=color, linewidth=2.4)
            sheet.text(0.75, y, name, va="center", fontsize=7.5)
            last = f"last {_number(numbers[-1], panel.unit)}   max {_number(max(numbers), panel.unit)}"
            sheet.text(panel.width - 0.2, y, last, va="center", ha="right", fontsize=7.5, color=FAINT)
    if len(lines) > legend:
        sheet.text(
            panel.width - 0.2,
            0.55,
            f"{len(lines)} lines, {legend} named",
            va="center",
            ha="right",
            fontsize=7.5,
            color=FAINT,
        )
    began = _began(answers) - now
    axes.set_xlim(began, 0)
    axes.set_ylim(0, None if any(value for _, values in lines for _, value in values) else 1)
    axes.grid(color=GRID, linewidth=0.6)
    axes.tick_params(length=0, labelsize=7, colors=FAINT)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=panel.unit == "short"))
    axes.yaxis.set_major_formatter(FuncFormatter(_formatter(panel.unit)))
    axes.set_xticks([-10 * part for part in range(1, round(-began) // 10 + 1, max(round(-began) // 40, 1))])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{-at:.0f} s ago"))
    for side in axes.spines.values():
        side.set_visible(False)


def _began(answers: Mapping[str, list[Series]]) -> float:
    """Return when the first series of a graph begins: all graphs of a dashboard share their time."""
    return min(float(one["values"][0][0]) for found in answers.values() for one in found if "values" in one)


def _legend(text: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), text)


def _cycle() -> Iterator[str]:
    while True:
        yield from LINES


def _formatter(unit: str) -> Callable[[float, float], str]:
    return lambda value, _: _number(value, unit)


def _number(value: float, unit: str) -> str:
    """Return a number with its unit, as Grafana shortens it."""
    match unit:
        case "bytes":
            return f"{value / 2**20:.1f} MiB" if value >= 2**20 else f"{value / 2**10:.0f} KiB"
        case "s":
            return f"{value:.2g} s" if value >= 1 or value == 0 else f"{1000 * value:.3g} ms"
        case "percentunit":
            return f"{100 * value:.3g}%"
        case "ops" | "reqps":
            return f"{value:.2g}/s"
        case _:
            return f"{value:.4g}"
