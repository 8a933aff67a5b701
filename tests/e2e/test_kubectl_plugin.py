"""``kubectl pausewatch`` on a real cluster: found by kubectl, over the report of a real agent, and over 5,000."""

import json
import time
from pathlib import Path

import pytest

from e2e.conftest import StartAgent
from e2e.support.faulty import run_forgetful
from e2e.support.many_reports import SICK_EVERY, SILENT_EVERY, many_reports
from e2e.support.node_report import await_report
from e2e.support.plugin import Plugin, put_on_path
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

FLEET = 5000

CPU_SECONDS = 5.0
"""Of the plugin and all its kubectl together; it takes 1.2 to 1.9, and so long a person waits beside nobody else."""

ELAPSED_SECONDS = 60.0
"""From the command to its last line, beside an API server and tests that use the same two cores: catches what waits
instead of working, as for a page that does not come."""

MEMORY_BYTES = 150 * 1024 * 1024
"""Of the largest of these processes; the plugin takes 77 MiB, with 5,000 Nodes of 10 KB as well."""

SERVED_SECONDS = 60.0


@pytest.fixture
def plugin(cluster: Cluster, tmp_path: Path) -> Plugin:
    """kubectl with the plugin on PATH."""
    return put_on_path(cluster, tmp_path / "path")


def test_fault_is_shown_of_all_nodes_of_one_and_of_a_pod(
    cluster: Cluster, start_agent: StartAgent, plugin: Plugin
) -> None:
    """Found by kubectl, completed by it, with exit codes for scripts; a node that never reported is told too."""
    forgetful = run_forgetful(cluster)
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "silent"}})
    try:
        agent = start_agent()
        await_report(cluster, agent, "of zombies", lambda one: one["status"]["summary"]["warning"])
        name, about = forgetful.pod.name, f"lab/{forgetful.pod.name}/app"

        assert "kubectl-pausewatch" in plugin.run("plugin", "list").stdout
        everything = plugin.run("pausewatch")
        assert (everything.code, everything.stderr) == (0, "")
        heading, mine, silent, _, totals = everything.stdout.splitlines()
        assert heading.split()[:4] == ["NODE", "HEALTH", "CRITICAL", "WARNING"]
        assert mine.split()[:5] == [cluster.node_name, "NOT", "HEALTHY", "0", "1"]
        assert f"ZombieBuildup: {about} holds" in mine
        assert "NO REPORT" in silent
        assert totals == "2 nodes: 1 not healthy, 1 no report"
        assert plugin.run("pausewatch", "nodes", "--fail-on", "warning").code == 10
        assert plugin.run("pausewatch", "nodes", "--fail-on", "critical", "--require-complete").code == 11

        node = plugin.run("pausewatch", "node", cluster.node_name)
        assert f"WARNING  ZombieBuildup  {about}\n" in node.stdout
        assert f"ps --ppid {forgetful.pid()} -o pid,stat,lstart,comm" in node.stdout
        assert plugin.run("pausewatch", "node", "silent").stderr.startswith(
            "pausewatch: there is no report of node 'silent'"
        )

        pod = plugin.run("pausewatch", "pod", name, "-n", "lab")
        assert pod.stdout.startswith(f"lab/{name}  Running on {cluster.node_name}\n")
        assert "each container its own: its first process is PID 1 and has to reap orphans" in pod.stdout
        assert f"WARNING  ZombieBuildup  {about}\n" in pod.stdout
        told = json.loads(plugin.run("pausewatch", "pod", name, "-A", "-o", "json").stdout)
        assert [one["check"] for one in told["findings"]] == ["zombie-buildup"]

        offered = plugin.run("__complete", "pausewatch", "node", "")
        assert offered.stdout.splitlines() == [cluster.node_name, ":4"]
    finally:
        cluster.kubectl("delete", "node", "silent")


def test_5000_reports_are_told_in_little_memory(cluster: Cluster, plugin: Plugin, tmp_path: Path) -> None:
    """Page by page: every node is there, the worst first, and no more is held than a page."""
    with many_reports(cluster, FLEET, tmp_path):
        last = f"node-{FLEET - 1:04}"
        wait_until("the reports to be served", lambda: last in plugin.run("get", "psr", last).stdout, SERVED_SECONDS)
        began = time.monotonic()
        shown = plugin.run("pausewatch", "-o", "json")
        elapsed_seconds = time.monotonic() - began
        took = f"{elapsed_seconds:.1f} s, {shown.cpu_seconds:.1f} s of CPU"
        print(f"{FLEET} reports: {took}, {shown.most_memory_bytes >> 20} MiB")  # noqa: T201

    nodes = json.loads(shown.stdout)["nodes"]
    assert [one["verdict"] for one in nodes].count("Stale") == FLEET // SILENT_EVERY
    sick = FLEET // SICK_EVERY
    assert [one.get("critical") for one in nodes] == [1] * sick + [0] * (FLEET + 1 - sick)
    # The cluster's own node is there too: no agent runs on it now.
    assert {one["name"] for one in nodes} == {cluster.node_name, *(f"node-{number:04}" for number in range(FLEET))}
    assert shown.cpu_seconds < CPU_SECONDS
    assert elapsed_seconds < ELAPSED_SECONDS
    assert shown.most_memory_bytes < MEMORY_BYTES
