"""What the agent costs: ``PYTHONPATH=operator:tests python -m bench.agent``.

In a pod as its manifests make it, and as a plain process beside it; at 110 pods and 500 processes, and at 250 pods and
2,000 processes. Then with a tenth of a CPU.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from bench import budgets
from bench.agent_cost import AgentCost, measure_agent
from bench.budgets import Verdict
from bench.cluster_load import run_known_pods
from bench.load import sleepers
from bench.node_state import LARGE, ORDINARY, NodeState
from bench.pages import ask_pages
from bench.progress import say
from e2e.support.agent import running_agent
from e2e.support.daemon_set import agent_pods, daemon_set_on
from e2e.support.installation import agent_kubeconfig, install
from e2e.support.pace import DEFAULT
from lab.build.agent_image import AGENT_IMAGE, agent_image
from lab.cgroups import LabCgroup
from lab.errors import LabError
from lab.pods import RunningPod
from lab.processes import all_pids
from lab.shapes import cluster as clusters
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.model.settings import Settings, parse_listen_address

LAB = "bench-agent"
READY_SECONDS = 120.0
SETTLING_PERIODS = 2
"""Before a measurement: new pods are read more than once, and a process that only just started is not at rest."""

THROTTLED_TO = 0.1
"""Of a CPU, as with limits.cpu: 100m."""

MEBIBYTE = 1024 * 1024

Measure = Callable[[float], AgentCost]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--periods", default=4, show_default=True, type=click.IntRange(min=2), help="Of 30 s, for each figure.")
def main(periods: int) -> None:
    """Measure the agent in its pod and as a process, with probes and scrapes; in a quarter of an hour.

    Needs root and a quiet machine. Exits with 1 if a budget is broken.
    """
    try:
        with clusters.start(LAB) as cluster, tempfile.TemporaryDirectory() as folder:
            verdicts = _measure(cluster, Path(folder), periods)
    except LabError as error:
        raise click.ClickException(str(error)) from error
    broken = sum(not verdict.holds for verdict in verdicts)
    click.echo(f"{len(verdicts)} budgets, {broken} broken")
    sys.exit(bool(broken))


def _measure(cluster: Cluster, folder: Path, periods: int) -> list[Verdict]:
    period = Settings().scan_period_seconds
    verdicts: list[Verdict] = []
    with agent_in_pod(cluster) as pod:
        in_pod = partial(measure_in_pod, cluster, pod)
        there = 0
        for state in (ORDINARY, LARGE):
            say(f"{state}, and the agent in its pod")
            run_known_pods(cluster, state.pods, there)
            there = state.pods
            with sleepers(max(0, state.processes - len(all_pids()))):
                say(f"{len(all_pids())} processes on the machine; {SETTLING_PERIODS} periods to settle")
                in_pod(SETTLING_PERIODS * period)
                say(f"{periods} periods in the pod")
                verdicts += _show(state, "in its pod", in_pod(periods * period))
                with _stopped(pod.pid("agent")):
                    verdicts += _show(state, "as a process", _outside(cluster, folder, periods * period))
        _throttle(pod)
        say(f"{periods} periods with {THROTTLED_TO:g} of a CPU")
        throttled = in_pod(periods * period)
        _tell(LARGE, f"in its pod, with {THROTTLED_TO:g} of a CPU", throttled)
        verdicts += _print(budgets.of_throttled_agent(throttled, period))
    return verdicts


def measure_in_pod(cluster: Cluster, pod: RunningPod, seconds: float) -> AgentCost:
    """Measure the agent in its pod for so long."""
    _, port = parse_listen_address(Settings().listen_address) or ("", 0)
    address = f"http://{pod.address()}:{port}"
    return measure_agent(pod.pid("agent"), address, seconds, inside_network_of=cluster.runtime.containerd.pid)


@contextmanager
def agent_in_pod(cluster: Cluster) -> Iterator[RunningPod]:
    """Install what the manifests install on a cluster of one node, and give the agent's pod once it is ready.

    In the end the agent is gone, and the kubelet runs.
    """
    cluster.runtime.ctr("images", "import", str(agent_image()))
    has_image = partial(cluster.runtime.client.has_image, AGENT_IMAGE)
    wait_until(f"the runtime to know {AGENT_IMAGE}", has_image, READY_SECONDS)
    install(cluster)
    # The lab's containerd listens elsewhere than where agents look by themselves.
    with daemon_set_on(cluster, cluster, {"runtimeEndpoint": cluster.runtime.endpoint}) as apply:
        apply("Unconfined")
        try:
            name = wait_until("the agent's pod to be ready", lambda: _ready_pod(cluster), READY_SECONDS)
        except LabError as error:
            seen = cluster.kubectl("describe", "daemonset,pods", "--namespace=pausewatch")
            raise LabError(f"{error}\n{seen}") from error
        try:
            yield cluster.find_pod(name, "pausewatch")
        finally:
            cluster.restore_daemons()  # who but the kubelet would end the pod


def _ready_pod(cluster: Cluster) -> str:
    for one in agent_pods(cluster):
        conditions = {each["type"]: each["status"] for each in one["status"].get("conditions", ())}
        if conditions.get("Ready") == "True" and one["spec"]["containers"][0]["image"] == AGENT_IMAGE:
            return str(one["metadata"]["name"])
    return ""


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """Keep an agent from running: two for one node would take turns in writing its report."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _outside(cluster: Cluster, folder: Path, seconds: float) -> AgentCost:
    say("the same, as a process")
    log = folder / "log"
    with running_agent(cluster, agent_kubeconfig(cluster), log, DEFAULT, {}) as agent:
        agent.await_scans(1)
        ask_pages(agent.address(), SETTLING_PERIODS * DEFAULT.scan_period_seconds)
        return measure_agent(agent.process.pid, agent.address(), seconds)


def _throttle(pod: RunningPod) -> None:
    """Do what a kubelet does for limits.cpu, to the agent as it runs."""
    path = next(
        line.split(":", 2)[2]
        for line in Path(f"/proc/{pod.pid('agent')}/cgroup").read_text(encoding="utf-8").splitlines()
        if line.split(":", 2)[1] in ("cpu", "cpu,cpuacct", "")
    )
    LabCgroup(LAB).limit_cpu(path, THROTTLED_TO)


def _show(state: NodeState, where: str, cost: AgentCost) -> list[Verdict]:
    _tell(state, where, cost)
    return _print(budgets.of_agent(cost))


def _tell(state: NodeState, where: str, cost: AgentCost) -> None:
    pages = cost.pages
    charged = "" if cost.working_set_bytes is None else f" working set {cost.working_set_bytes / MEBIBYTE:.1f} MiB;"
    click.echo(
        f"{state}, the agent {where}: {cost.millicores:.2f} millicores over {cost.seconds:g} s and {pages.scans} scans"
        f" with {cost.processes:,} processes on the machine; resident {cost.resident_bytes / MEBIBYTE:.1f} MiB, at most"
        f" {cost.peak_resident_bytes / MEBIBYTE:.1f};{charged}"
        f" {cost.threads} threads, {cost.descriptors} descriptors; {pages.answers} pages, the slowest in"
        f" {pages.slowest_seconds * 1e3:.1f} ms; slowest scan seen {pages.slowest_scan_seconds * 1e3:.0f} ms"
    )


def _print(verdicts: Iterator[Verdict]) -> list[Verdict]:
    shown = list(verdicts)
    for verdict in shown:
        click.echo(verdict)
    return shown


if __name__ == "__main__":
    main()
