"""Many looks while pods come and go: ``PYTHONPATH=operator:tests python -m bench.churn``.

Whatever a process keeps of pods that are gone, in memory or as an open file, it shows here.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from bench import budgets
from bench.endurance import Endurance, endure
from bench.load import CONTAINERS, node_load
from bench.node_state import ORDINARY
from bench.progress import say
from lab.errors import LabError
from lab.pods import Pod, RunningPod
from lab.shapes.runtime import RuntimeLab

LAB = "churn"
ALIVE = 5
"""Of the pods that come and go, how many there are at a time."""

JOIN_SECONDS = 120.0
MEBIBYTE = 1024 * 1024


@dataclass(slots=True)
class Churn:
    """Makes pods and removes them until it is told to stop."""

    lab: RuntimeLab
    made: int = 0
    error: LabError | None = None
    """What ended it too early."""

    def run(self, stopping: threading.Event) -> None:
        """Keep at most ALIVE pods, the oldest of which goes first; in the end they are gone."""
        alive: list[RunningPod] = []
        try:
            while not stopping.is_set():
                alive.append(self.lab.run(Pod(f"churn-{self.made}", containers=CONTAINERS)))
                self.made += 1
                if len(alive) > ALIVE:
                    self.lab.remove(alive.pop(0))
            for pod in alive:
                self.lab.remove(pod)
        except LabError as error:
            self.error = error


@contextmanager
def pods_come_and_go(lab: RuntimeLab) -> Iterator[Churn]:
    """Make and remove pods in a thread for as long as this is entered; gives what counts them.

    Raises:
        LabError: The runtime refused one: there was no churn to speak of.
    """
    churn, stopping = Churn(lab), threading.Event()
    thread = threading.Thread(target=churn.run, args=(stopping,), name="churn", daemon=True)
    thread.start()
    try:
        yield churn
    finally:
        stopping.set()
        thread.join(JOIN_SECONDS)
    if churn.error is not None:
        raise churn.error


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--looks", default=10_000, show_default=True, type=click.IntRange(min=500), help="Of one process.")
def main(looks: int) -> None:
    """Look many times at 110 pods while others come and go; needs root and ten minutes. Exits with 1 on a leak."""
    with node_load(LAB, pods=ORDINARY.pods, processes=ORDINARY.processes) as load:
        say(f"{looks} looks while pods come and go")
        with pods_come_and_go(load.lab) as churn:
            seen = endure(load.lab.endpoint, looks)
    click.echo(told(seen, churn.made))
    verdicts = list(budgets.of_churn(seen))
    for verdict in verdicts:
        click.echo(verdict)
    sys.exit(any(not verdict.holds for verdict in verdicts))


def told(seen: Endurance, made: int) -> str:
    """Return what was seen, in one line."""
    return (
        f"{seen.looks} looks, {made} pods made and removed: resident {seen.settled_rss_bytes / MEBIBYTE:.1f} MiB after"
        f" half of them, {seen.last_rss_bytes / MEBIBYTE:.1f} in the end; {seen.settled_descriptors} and"
        f" {seen.last_descriptors} open files beyond one for each process; {sum(seen.later_calls.values()):,} calls to"
        " the runtime"
    )


if __name__ == "__main__":
    main()
