"""The simulation of many nodes in small: `make scale` measures with it, so it has to tell the truth."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from e2e.support.api_requests import assert_asks_for_its_own_only, now, of_node, requests_since
from lab.shapes.cluster import Cluster
from pausewatch.cluster.event_poster import NODE_BURST
from pausewatch.sinks import bounds

NODES = 20
TEMPO = 60
"""Times the default pace: a heartbeat in 10 s, a scan in half a second."""

LIMIT_SECONDS = 300.0


def test_fleet_of_virtual_nodes(cluster: Cluster, tmp_path: Path) -> None:
    """Twenty agents with tokens and watches of their own: each writes its report and its Events, and no more."""
    began = now()

    (run,) = simulate(cluster, tmp_path / "run.json")

    requests = requests_since(cluster, began)
    stages = run["stages"]
    assert stages["watching"]["watches"]["podsandboxreports"] >= NODES
    assert run["owned"] == NODES
    # One in the first storm, and then what a node may post at once.
    assert NODES * NODE_BURST <= run["events_posted"] <= NODES * (bounds.FINDINGS + 1)
    assert run["events_dropped"] == 0
    assert run["troubles"] == {}
    assert run["unfinished"] == {}
    failures = {name: stage["failures"] for name, stage in stages.items() if stage["failures"]}
    assert failures == {"first reports": {"NotFound": NODES}}, "each looks once for its report"
    assert [stage["rejected"] for stage in stages.values()] == [0 for _ in stages]
    quiet = stages["quiet"]
    assert {*quiet["by_client"]} == {"PATCH podsandboxreports"}
    assert quiet["by_client"]["PATCH podsandboxreports"][0] <= NODES * (quiet["seconds"] / (0.9 * 600 / TEMPO) + 1)
    assert 40_000 < run["sizes"]["report at its cap"]["object_bytes"] < 65_536
    assert run["sizes"]["Event of the longest kind"]["object_bytes"] > bounds.MESSAGE
    assert {one.node for one in requests} == {virtual(number) for number in range(NODES)}
    for number in range(NODES):
        assert_asks_for_its_own_only(of_node(requests, virtual(number)), virtual(number))


def simulate(cluster: Cluster, file: Path) -> list[dict[str, Any]]:
    """Run the simulation on the test's cluster, and return its numbers."""
    command = [sys.executable, "-m", "scale", f"--cluster={cluster.name}", "--quick", f"--json-file={file}"]
    fleet = [f"--nodes={NODES}", f"--tempo={TEMPO}"]
    subprocess.run(
        [*command, *fleet], check=True, timeout=LIMIT_SECONDS, env=os.environ | {"PYTHONPATH": ":".join(sys.path)}
    )
    numbers: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return numbers


def virtual(number: int) -> str:
    """Return the name of one of its nodes."""
    return f"virtual-{number:04}"
