"""How the cost of a look grows with the node, as a picture: ``PYTHONPATH=operator:tests python -m bench.growth``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.costs import Costs, measure_costs
from bench.load import node_load, run_pods, sleepers
from bench.progress import say
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab

LAB = "growth"
PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "scan-growth.svg"

PODS = (50, 110, 250, 500)
PROCESSES = (500, 2000, 8000)
PODS_BESIDE_PROCESSES = 110
ZOMBIES = 5000

BUDGET = 100
"""Milliseconds."""

ROOM_FOR_THE_LEGEND = 1.45

LOOK_COLOUR, C_COLOUR, BUDGET_COLOUR = "#1a73c7", "#8a8a8a", "#c0392b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One node that was measured."""

    size: int
    """Pods, or processes on the whole machine."""

    costs: Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The straight line that lies nearest to some points."""

    start: float
    """Milliseconds of a node of size 0."""

    slope: float
    """Milliseconds for each one more."""


def fitted(points: Sequence[Point]) -> Line:
    """Return the line through the costs of a look with the least squares of distances."""
    middle = sum(point.size for point in points) / len(points)
    mean = sum(point.costs.look for point in points) / len(points)
    spread = sum((point.size - middle) ** 2 for point in points)
    slope = sum((point.size - middle) * (point.costs.look - mean) for point in points) / spread
    return Line(start=mean - slope * middle, slope=slope)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(min=5), help="Medians are of this many.")
@click.option("--picture", default=PICTURE, type=click.Path(path_type=Path), help="Where it goes, an SVG.")
def main(rounds: int, picture: Path) -> None:
    """Measure looks at nodes of growing size, and draw them; needs root and fifteen minutes of a quiet machine."""
    with node_load(LAB, pods=PODS[0], processes=0) as load:
        by_pods = [_measured(load.lab, rounds, pods=count) for count in PODS]
    with node_load(LAB, pods=PODS_BESIDE_PROCESSES, processes=0) as load:
        by_processes = list(_growing(load.lab, rounds))
        alone, beside = _with_zombies(load.lab, rounds)
    picture.parent.mkdir(exist_ok=True)
    _draw(by_pods, by_processes, picture)
    for what, points in (("pods", by_pods), ("processes", by_processes)):
        line = fitted(points)
        click.echo(f"{what}: {line.start:.1f} ms + {line.slope * 1000:.1f} µs for each")
        for point in points:
            click.echo(f"  {point.size:>6,}  {point.costs.look:7.1f} ms, C program {point.costs.c:7.1f} ms")
    click.echo(f"{ZOMBIES:,} zombies in one container: {alone.look:.1f} ms before, {beside.look:.1f} ms with them;")
    click.echo(f"C program {alone.c:.1f} ms before, {beside.c:.1f} ms with them")


def _measured(lab: RuntimeLab, rounds: int, *, pods: int) -> Point:
    run_pods(lab, pods, there=len(lab.client.sandboxes()))
    return Point(size=pods, costs=_costs(lab, rounds))


def _growing(lab: RuntimeLab, rounds: int) -> Iterator[Point]:
    for count in PROCESSES:
        with sleepers(count - len(lab.cgroup.members())):
            costs = _costs(lab, rounds)
            yield Point(size=costs.processes, costs=costs)


def _with_zombies(lab: RuntimeLab, rounds: int) -> tuple[Costs, Costs]:
    alone = _costs(lab, rounds)
    with _forgetful_pod(lab):
        return alone, _costs(lab, rounds)


@contextmanager
def _forgetful_pod(lab: RuntimeLab) -> Iterator[None]:
    say(f"{ZOMBIES} zombies in one container")
    forgetful = lab.run(Pod("forgetful", containers=(Container(command=("misbehave", "children", str(ZOMBIES))),)))
    try:
        yield
    finally:
        lab.remove(forgetful)


def _costs(lab: RuntimeLab, rounds: int) -> Costs:
    say(f"{rounds} rounds of each program in turn")
    return measure_costs(lab.endpoint, lab.containerd.pid, rounds=rounds)


def _draw(by_pods: Sequence[Point], by_processes: Sequence[Point], picture: Path) -> None:
    # The same text and ids in each run, so that the picture changes only where the figures do.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "pausewatch", "font.size": 10})
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_points(left, by_pods, "pods, two containers each")
    _draw_points(right, by_processes, f"processes on the machine, {PODS_BESIDE_PROCESSES} pods among them")
    left.set_ylabel("ms of CPU")
    figure.suptitle("What one warm look costs as the node grows")
    figure.savefig(picture, metadata={"Date": None})


def _draw_points(axes: Axes, points: Sequence[Point], what: str) -> None:
    sizes = [point.size for point in points]
    line = fitted(points)
    label = f"one look: {line.start:.1f} ms + {line.slope * 1000:.0f} µs for each"
    axes.plot(sizes, [point.costs.look for point in points], "o", color=LOOK_COLOUR)
    axes.plot([0, sizes[-1]], [line.start, line.start + line.slope * sizes[-1]], color=LOOK_COLOUR, label=label)
    axes.plot(
        sizes, [point.costs.c for point in points], "s--", color=C_COLOUR, label="C program, the same reads of /proc"
    )
    axes.axhline(
        BUDGET, color=BUDGET_COLOUR, linewidth=1, linestyle=":", label="budget at 250 pods and 2,000 processes"
    )
    highest = max(BUDGET, *(max(point.costs.look, point.costs.c) for point in points))
    axes.set(xlabel=what, xlim=(0, None), ylim=(0, highest * ROOM_FOR_THE_LEGEND))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")


if __name__ == "__main__":
    main()
