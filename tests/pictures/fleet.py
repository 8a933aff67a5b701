"""All nodes of a cluster as people see them with ``kubectl pausewatch``, and the report of one, for the README.

The cluster is the lab's. One of its nodes has three broken pods and an agent that tells of them, the other no agent.
"""

import tempfile
from pathlib import Path

from rich.text import Text

from e2e.support.agent import running_agent
from e2e.support.installation import agent_kubeconfig, install
from e2e.support.node_report import await_report
from e2e.support.pace import Pace
from e2e.support.plugin import put_on_path
from lab.naming import lab_name
from lab.pods import Container, Pod
from lab.shapes import cluster as clusters
from lab.shapes.cluster import Cluster
from pictures.terminal import on_terminal

COMMAND = ("kubectl", "pausewatch")
ZOMBIES = 16
SILENT = "node-8"

PACE = Pace(
    scan_period_seconds=1,
    report_interval_seconds=1,
    thresholds={"zombie-buildup": {"seen_for_seconds": 3}, "orphaned-sandbox": {"delay_seconds": 0}},
)
"""So that nobody has to wait: what is told is the same."""

FOUND_SECONDS = 120.0
"""An orphan takes 30 s."""


def draw_fleet(folder: Path) -> tuple[Path, ...]:
    """Break pods of a real cluster, and return what was written of its nodes.

    That is what the plugin shows, what kubectl shows, and the whole report of one node.

    Raises:
        LabError: The cluster did not come up.
        AssertionError: The plugin did not see what is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="pausewatch-pictures-") as scratch:
        plugin_folder, log = Path(scratch) / "path", Path(scratch) / "agent.log"
        with clusters.start(lab_name("pictures")) as cluster:
            install(cluster)
            cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": SILENT}})
            plugin = put_on_path(cluster, plugin_folder)
            with running_agent(cluster, agent_kubeconfig(cluster), log, PACE, {}) as agent:
                await_report(cluster, agent, "of the start", lambda one: one["status"]["conditions"])
                break_pods(cluster)
                await_report(
                    cluster, agent, "of three faults", lambda one: len(one["status"]["findings"]) == 3, FOUND_SECONDS
                )
                shown = Text.from_ansi(on_terminal([str(plugin.folder / COMMAND[0]), *COMMAND[1:]], plugin.environment))
                table = cluster.kubectl("get", "psr")
                report = cluster.kubectl("get", "psr", cluster.node_name, "--output=yaml")
    assert f"{SILENT} " in shown.plain, shown.plain
    assert "lab/cart/app runs in a network namespace" in shown.plain, shown.plain
    whole = folder / "report.yaml"
    whole.write_text(report, encoding="utf-8")
    return (
        _write(folder / "fleet.txt", " ".join(COMMAND), shown.plain),
        _write(folder / "report.txt", "kubectl get psr", table),
        whole,
    )


def _write(path: Path, command: str, shown: str) -> Path:
    """Write a command and what it showed, and return the path."""
    lines = (line.rstrip() for line in shown.splitlines())
    path.write_text("\n".join((f"$ {command}", *lines)).rstrip() + "\n", encoding="utf-8")
    return path


def break_pods(cluster: Cluster) -> None:
    """Break three pods as the demonstration does."""
    cluster.run(Pod("queue", containers=(Container(command=("misbehave", "orphans", str(ZOMBIES))),)))
    cluster.falsify("cart", "app", {"type": "network", "do": "fresh"})
    cluster.run(Pod("cart"))
    cluster.run(Pod("worker"))
    cluster.stop_kubelet()
    cluster.kubectl("delete", "pod", "worker", "--namespace=lab", "--force", "--grace-period=0")
