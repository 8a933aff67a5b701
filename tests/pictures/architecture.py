"""docs/pictures/architecture.svg: who imports whom in the package, from the import graph itself.

Rows are the layers of the import contract in pyproject.toml. An arrow goes from who imports to what is imported; one
that follows from two others is left out. Each box says what the docstring of its package says.
"""

import ast
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "operator" / "pausewatch"

PARTS_OF = {"redaction": "recording", "setting_table": "settings", "setting_values": "settings"}
"""Modules that are drawn as one with another."""

LEFT_OUT = {"__main__", "version"}

WIDTH, BOX_WIDTH, BOX_HEIGHT, ROW_HEIGHT, MARGIN = 1000, 216, 78, 128, 24
AISLES = (0.25, 0.5, 0.75)
"""Between the boxes of a row of four, in widths of the picture: where arrows pass by other rows."""

FIRST_ROWS = (0, 1)
"""Have one box each, in the middle."""

TEXT_COLUMNS = 34
TEXT_LINES = 3

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="DejaVu Sans, Verdana, sans-serif">
<title>The packages of pausewatch and their imports</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 10 5 0 10z" fill="#57606a"/></marker></defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>
"""

ARROW = '<path d="{path}" fill="none" stroke="#57606a" marker-end="url(#head)"/>'
BOX = '<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="#f6f8fa" stroke="#0969da"/>'
NAME = '<text x="{x}" y="{y}" font-size="15" font-weight="bold" fill="#1f2328" text-anchor="middle">{text}</text>'
LINE = '<text x="{x}" y="{y}" font-size="11" fill="#1f2328" text-anchor="middle">{text}</text>'

Place = tuple[float, float]
"""The middle of a box's upper edge."""


def render_architecture() -> str:
    """Return the picture as SVG."""
    rows = layers()
    places = {name: place for number, row in enumerate(rows) for name, place in _in_row(row, number, len(rows) - 1)}
    height = MARGIN * 2 + ROW_HEIGHT * (len(rows) - 1) + BOX_HEIGHT
    arrows = (_arrow(name, one, places) for name, one in sorted(without_detours(imports())))
    boxes = (line for name in sorted(places) for line in _box(name, places[name]))
    return "\n".join((HEAD.format(width=WIDTH, height=height) + "\n".join(arrows), *boxes, "</svg>", ""))


def imports() -> Mapping[str, set[str]]:
    """Return what each part of the package imports of the others."""
    graph = grimp.build_graph("pausewatch", cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        imported = {_part(one) for one in graph.find_modules_directly_imported_by(module)}
        found.setdefault(_part(module), set()).update(imported)
    kept = found.keys() - LEFT_OUT - {""}
    return {name: (found[name] & kept) - {name} for name in kept}


def layers() -> list[list[str]]:
    """Return the parts in the layers of the import contract, the uppermost first."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [one for one in contracts if one["type"] == "layers"]
    rows: list[list[str]] = []
    seen: set[str] = set()
    for layer in contract["layers"]:
        # A part may stand in several layers, as the modules of one name do: it is drawn in the uppermost.
        row = [name for name in dict.fromkeys(_part(one) for one in layer.split(" | ")) if name not in seen]
        seen.update(row)
        rows += [row] if row else []
    missing = imports().keys() - seen
    if missing:
        raise ValueError(f"the layers in pyproject.toml lack {', '.join(sorted(missing))}: add it to the contract")
    return rows


def without_detours(graph: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Return the arrows that do not follow from others."""

    def reached(name: str) -> set[str]:
        return graph[name].union(*(reached(one) for one in graph[name]))

    return {
        (name, one)
        for name, imported in graph.items()
        for one in imported
        if not any(one in reached(other) for other in imported - {one})
    }


def _part(module: str) -> str:
    name = module.removeprefix("pausewatch").removeprefix(".").partition(".")[0]
    return PARTS_OF.get(name, name)


def _in_row(row: list[str], number: int, last: int) -> Iterator[tuple[str, Place]]:
    step = 1 / len(row)
    for position, name in enumerate(row):
        # A box alone between rows of several stands beside the aisles.
        beside = 0.375 if number % 2 == 0 else 0.625
        middle = step * (position + 0.5) if len(row) > 1 or number in (*FIRST_ROWS, last) else beside
        yield name, (WIDTH * middle, MARGIN + ROW_HEIGHT * number)


def _arrow(name: str, imported: str, places: Mapping[str, Place]) -> str:
    (x, y), (x2, y2) = places[name], places[imported]
    y += BOX_HEIGHT
    gap = ROW_HEIGHT - BOX_HEIGHT
    if y2 - y <= gap:
        return ARROW.format(path=f"M{x:g} {y} {_curve(x, y, x2, y2)}")
    aisle = min((WIDTH * one for one in AISLES), key=lambda one: (abs(one - (x + x2) / 2), -one))
    path = f"M{x:g} {y} {_curve(x, y, aisle, y + gap)} V{y2 - gap} {_curve(aisle, y2 - gap, x2, y2)}"
    return ARROW.format(path=path)


def _curve(x: float, y: float, x2: float, y2: float) -> str:
    middle = (y + y2) / 2
    return f"C{x:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"


def _box(name: str, place: Place) -> Iterator[str]:
    x, y = place
    yield BOX.format(x=round(x - BOX_WIDTH / 2), y=y, width=BOX_WIDTH, height=BOX_HEIGHT)
    yield NAME.format(x=round(x), y=y + 21, text=escape(name))
    for number, line in enumerate(textwrap.wrap(_said(name), TEXT_COLUMNS, max_lines=TEXT_LINES, placeholder=" …")):
        yield LINE.format(x=round(x), y=y + 38 + 14 * number, text=escape(line))


def _said(name: str) -> str:
    """Return the first line of a docstring."""
    path = PACKAGE / f"{name}.py"
    text = (path if path.exists() else PACKAGE / name / "__init__.py").read_text()
    return (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].replace("``", "").rstrip(".")
