"""The simulation's command line: ``PYTHONPATH=operator:tests python -m scale --help``."""

import asyncio
import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType

import click

from e2e.support.installation import install
from lab.errors import LabError
from lab.naming import lab_name
from lab.shapes import cluster as clusters
from lab.shapes.cluster import Cluster
from pausewatch.agent.startup import set_up_log
from pausewatch.cluster.errors import ApiError
from scale import fleet
from scale.plan import as_large_cluster, quickly
from scale.simulation import Measured, simulate
from scale.tables import is_fitting, of_fit, of_plan, of_run, of_stage

SIZES = (250, 500)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--nodes", multiple=True, type=click.IntRange(min=1), default=SIZES, show_default=True, help="A fleet.")
@click.option("--tempo", type=click.FloatRange(min=1), help="Times the default pace; else such that as much is written"
              " in a second as 5,000 nodes write.")  # fmt: skip
@click.option("--cluster", help="Use this lab, which runs, instead of a new one for each fleet.")
@click.option("--quick", is_flag=True, help="Stages of a few seconds.")
@click.option("--json-file", type=click.Path(path_type=Path), help="Write all numbers there too.")
def main(
    nodes: tuple[int, ...], tempo: float | None, cluster: str | None, *, quick: bool, json_file: Path | None
) -> None:
    """Measure what agents of many nodes cost an API server and etcd that waits for the disk.

    Everything of the agent that talks to the API server is real, once per node; nodes are objects only. Takes a
    quarter of an hour or more, most of it CPU time of the fleet, and needs root.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    set_up_log(level=50)  # only what this program says itself: nobody reads the logs of 500 agents
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    runs: list[Measured] = []
    try:
        for count in nodes:
            plan = as_large_cluster(count)
            plan = replace(plan, tempo=tempo or plan.tempo)
            plan = quickly(plan) if quick else plan
            click.echo("\n".join(of_plan(plan)))
            with _a_cluster(cluster) as started:
                runs.append(simulate(started, plan, lambda stage: click.echo("\n".join(of_stage(stage)))))
            click.echo("\n".join(of_run(runs[-1])) + "\n")
            if json_file:
                json_file.write_text(json.dumps([asdict(run) for run in runs], indent=1), encoding="utf-8")
    except (LabError, ApiError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.Abort from None
    if all(is_fitting(run) for run in runs):
        click.echo("\n".join(of_fit(runs)))


@contextmanager
def _a_cluster(name: str | None) -> Iterator[Cluster]:
    """Give a cluster in which everything is installed, and leave nothing in it if it is not ours."""
    if name is None:
        with clusters.start(lab_name("scale"), waits_for_disk=True) as started:
            install(started)
            # Their answers to nodes without a kubelet would be counted as ours.
            started.stop_clients()
            yield started
        return
    found = clusters.attach(name)
    try:
        install(found)
        yield found
    finally:
        asyncio.run(fleet.remove(found))
        found.close()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
