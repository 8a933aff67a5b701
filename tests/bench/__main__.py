"""The benchmark's command line: ``PYTHONPATH=operator:tests python -m bench --help``."""

import resource
import shutil
import signal
import sys
from collections.abc import Iterable, Mapping
from types import FrameType

import click

from bench import budgets
from bench.budgets import Verdict
from bench.costs import Costs, measure_cold_scan, measure_costs, versions
from bench.endurance import endure
from bench.load import NodeLoad, node_load
from bench.progress import say
from lab.errors import LabError

LAB = "bench"

ORDINARY = (110, 500)
"""Pods (the kubelet's default limit) and processes of the node that the budgets are about."""

LARGE = (250, 2000)

COLD_ROUNDS = 5


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=31, show_default=True, type=click.IntRange(min=15), help="Medians are of this many.")
@click.option("--looks", default=2000, show_default=True, type=click.IntRange(min=500), help="Of one process.")
@click.option("--large", is_flag=True, help="Measure a node of 250 pods and 2,000 processes as well (minutes).")
def main(rounds: int, looks: int, *, large: bool) -> None:
    """Measure what a scan costs, beside lsns, ps and a C program with the same reads.

    Starts a container runtime with 110 pods and 220 containers, and 500 processes in all; takes two minutes and needs
    root. Exits with 1 if a budget is broken.
    """
    _prepare()
    try:
        verdicts = _measure(rounds, looks, large=large)
    except (LabError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.Abort from None
    broken = sum(not verdict.holds for verdict in verdicts)
    click.echo(f"\n{len(verdicts)} budgets, {broken} broken")
    sys.exit(bool(broken))


def _prepare() -> None:
    missing = [program for program in ("lsns", "ps", "cc") if shutil.which(program) is None]
    if missing:
        raise click.ClickException(f"not installed: {', '.join(missing)}; a look is measured beside them")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    # Two sweeps are kept in this process at once: each is to have the descriptors that it would have alone.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _measure(rounds: int, looks: int, *, large: bool) -> list[Verdict]:
    pods, processes = ORDINARY
    with node_load(LAB, pods=pods, processes=processes) as load:
        say(f"{rounds} rounds of each program in turn")
        costs = measure_costs(load.lab.endpoint, load.lab.containerd.pid, rounds=rounds)
        verdicts = _show(budgets.of_costs(costs))
        say(f"{COLD_ROUNDS} times pausewatch scan, with two looks a second apart")
        verdicts += _show(budgets.of_cold_scan(measure_cold_scan(load.lab.endpoint, rounds=COLD_ROUNDS)))
        say(f"{looks} looks of one process")
        endurance = endure(load.lab.endpoint, looks)
        verdicts += _show(budgets.of_endurance(endurance, sandboxes=load.pods, containers=load.containers))
        click.echo(f"\n{versions()}, containerd {load.lab.version.containerd}")
        _explain(load, costs, rounds)
        click.echo(f"calls of the first look: {_counted(endurance.first_calls)}")
        click.echo(f"calls of the {endurance.looks - 1} looks after it: {_counted(endurance.later_calls)}")
    return verdicts + _measure_large(costs, rounds) if large else verdicts


def _measure_large(ordinary: Costs, rounds: int) -> list[Verdict]:
    pods, processes = LARGE
    with node_load(LAB, pods=pods, processes=processes) as load:
        say(f"{rounds} rounds of each program in turn")
        costs = measure_costs(load.lab.endpoint, load.lab.containerd.pid, rounds=rounds)
        click.echo()
        verdicts = _show((*budgets.of_costs(costs), *budgets.of_growth(ordinary, costs)))
        click.echo()
        _explain(load, costs, rounds)
    return verdicts


def _show(verdicts: Iterable[Verdict]) -> list[Verdict]:
    shown = list(verdicts)
    for verdict in shown:
        click.echo(verdict)
    return shown


def _explain(load: NodeLoad, costs: Costs, rounds: int) -> None:
    click.echo(
        f"load: {load.processes} processes ({load.of_pods} of {load.pods} pods with {load.containers} containers and"
        f" their runtime, {load.sleepers} sleepers); {costs.processes} on the whole machine, which each program reads;"
        f" namespace links of {costs.first_processes} pauses and containers\n"
        f"CPU ms, user and system, median of {rounds}:\n"
        f"  one warm look      {costs.look:8.2f}\n"
        f"    runtime's lists  {costs.cri:8.2f}\n"
        f"    /proc, links     {costs.proc:8.2f}\n"
        f"    judging          {costs.judging:8.2f}\n"
        f"  C, same /proc      {costs.c:8.2f}\n"
        f"  ps                 {costs.ps:8.2f}\n"
        f"  lsns               {costs.lsns:8.2f}\n"
        f"  not ours: what the runtime spends on answering one look {costs.runtime:.2f}"
    )


def _counted(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {method}" for method, count in sorted(calls.items()) if count)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
