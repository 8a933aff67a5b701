"""The benchmark's command line: ``PYTHONPATH=operator:tests python -m bench --help``."""

import resource
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click

from bench import budgets, system_calls
from bench.budgets import Verdict
from bench.costs import measure_cold_scan, measure_costs, versions
from bench.endurance import Endurance, endure
from bench.load import NodeLoad, node_load
from bench.node_state import CROWDED, LARGE, NODE_EXPORTER, ORDINARY, ZOMBIE_COUNT, Measured, NodeState
from bench.peers import COUNT_ZOMBIES, node_exporter, typed_loop
from bench.progress import say
from bench.table import table
from lab.build.peers import ensure_node_exporter
from lab.build.tools import need_tools
from lab.errors import LabError

LAB = "bench"
COLD_ROUNDS = 5
LOOP_IDS = 110
"""Pauses and containers for which the loop that people type is run; its cost is in proportion to them."""

KIBIBYTE = 1024


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=31, show_default=True, type=click.IntRange(min=15), help="Medians are of this many.")
@click.option("--looks", default=2000, show_default=True, type=click.IntRange(min=500), help="Of one process.")
@click.option("--quick", is_flag=True, help="The ordinary node only.")
def main(rounds: int, looks: int, *, quick: bool) -> None:
    """Measure what a scan costs, beside what people use instead, on the same nodes.

    Starts a container runtime with 110 pods and 500 processes, then with 250 pods and 2,000 processes, then with 110
    pods and 2,500 processes of which 300 are zombies; takes twelve minutes, and needs root and a machine that does
    nothing else. Prints a table in Markdown. Exits with 1 if a budget is broken.
    """
    try:
        _prepare()
        verdicts = _measure((ORDINARY,) if quick else (ORDINARY, LARGE, CROWDED), rounds, looks)
    except (LabError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.Abort from None
    broken = sum(not verdict.holds for verdict in verdicts)
    click.echo(f"\n{len(verdicts)} budgets, {broken} broken")
    sys.exit(bool(broken))


def _prepare() -> None:
    need_tools({"lsns": "util-linux", "ps": "procps", "awk": "mawk", "cc": "gcc", "strace": "strace"})
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    # Two sweeps are kept in this process at once: each is to have the descriptors that it would have alone.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _measure(states: Sequence[NodeState], rounds: int, looks: int) -> list[Verdict]:
    exporter = ensure_node_exporter()
    measured: list[Measured] = []
    verdicts: list[Verdict] = []
    for state in states:
        say(str(state))
        with node_load(LAB, pods=state.pods, processes=state.processes, zombies=state.zombies) as load:
            measured.append(_measure_state(state, load, exporter, rounds))
            costs, calls = measured[-1].costs, sum(measured[-1].look_calls.values())
            verdicts += _show((*budgets.of_costs(costs), *budgets.of_system_calls(calls, costs)))
            if state == ORDINARY:
                verdicts += _measure_process(load, looks)
            if state == LARGE:
                verdicts += _show(budgets.of_growth(measured[0].costs, measured[-1].costs))
            # After each state, so that a run that is ended early has told what it measured.
            click.echo(f"\n{versions()}\nmedians of {rounds}\n\n{table(measured)}\n")
    return verdicts


def _measure_state(state: NodeState, load: NodeLoad, exporter: Path, rounds: int) -> Measured:
    lab = load.lab
    with ExitStack() as stack:
        peers = {ZOMBIE_COUNT: COUNT_ZOMBIES, NODE_EXPORTER: stack.enter_context(node_exporter(exporter))}
        say(f"{rounds} rounds of each program in turn")
        costs = measure_costs(lab.endpoint, lab.containerd.pid, rounds=rounds, peers=peers)
    ids = [*(one.id for one in lab.client.sandboxes()), *(one.id for one in lab.client.containers())]
    # It does the same again and again, and would take minutes on a large node.
    typed = ids[:: max(1, len(ids) // LOOP_IDS)]
    say(f"the loop that people type, over {len(typed)} of {len(ids)} pauses and containers")
    loop = typed_loop(lab, typed)() * len(ids) / len(typed)
    say("system calls")
    return Measured(
        state=state,
        costs=costs,
        typed_loop=loop,
        look_calls=system_calls.of_a_look(lab.endpoint),
        lsns_calls=system_calls.of_program(["lsns"]).total(),
    )


def _measure_process(load: NodeLoad, looks: int) -> list[Verdict]:
    say(f"{COLD_ROUNDS} times pausewatch scan, with two looks a second apart")
    verdicts = _show(budgets.of_cold_scan(measure_cold_scan(load.lab.endpoint, rounds=COLD_ROUNDS)))
    say(f"{looks} looks of one process")
    endurance = endure(load.lab.endpoint, looks)
    verdicts += _show(budgets.of_endurance(endurance, sandboxes=load.pods, containers=load.containers))
    _explain(endurance)
    return verdicts


def _show(verdicts: Iterable[Verdict]) -> list[Verdict]:
    shown = list(verdicts)
    for verdict in shown:
        click.echo(verdict)
    return shown


def _explain(endurance: Endurance) -> None:
    click.echo(f"allocated at the peak of a warm look: {endurance.allocated_bytes / KIBIBYTE:,.0f} KiB")
    click.echo(f"calls of the first look: {_counted(endurance.first_calls)}")
    click.echo(f"calls of the {endurance.looks - 1} looks after it: {_counted(endurance.later_calls)}")


def _counted(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {method}" for method, count in sorted(calls.items()) if count)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
