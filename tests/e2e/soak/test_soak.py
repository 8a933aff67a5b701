"""Random faults in random order, for hours if one wants: each is found and cleared in time, and nothing else told."""

import os
from collections.abc import Callable, Iterator

import pytest

from e2e.conftest import StartAgent
from e2e.soak import anytime, attended, unattended
from e2e.soak.ledger import Ledger
from e2e.soak.outages import Outages
from e2e.soak.plan import rounds
from e2e.soak.scene import POD_SECONDS, lasting
from e2e.soak.soak import Soak
from e2e.soak.table import SOAK, descriptors, rendered, resident_mib, scan_seconds
from e2e.soak.watcher import Watcher
from e2e.support.installation import agent_kubeconfig
from e2e.support.node_report import await_report, is_healthy, judges_all
from e2e.support.pace import Pace
from e2e.support.wire import Wire, through
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.nested_node import NestedNode

KINDS = (*attended.kinds(), *anytime.kinds(), *unattended.kinds())

MINUTES = float(os.environ.get("SOAK_MINUTES", "6"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
"""The same in each run of the suite; ``make soak`` takes another one each time."""

LEAST_FAULTS, LEAST_KINDS = 30, 10

SOON = 10
IN_A_WHILE = 30
"""Seconds: as a node that is out of breath may take to make or to end a sandbox, which is no fault."""

PACE = Pace(
    scan_period_seconds=2,
    report_interval_seconds=2,
    report_heartbeat_seconds=60,
    thresholds={
        "abnormal-pause": {"lasting_seconds": SOON},
        "container-process-gone": {"seen_for_seconds": SOON},
        "duplicate-sandbox": {"lasting_seconds": SOON},
        "leaked-network-namespace": {"lasting_seconds": IN_A_WHILE},
        "leaked-pod-address": {"lasting_seconds": 60},
        "orphaned-sandbox": {"delay_seconds": 0},
        "orphaned-shim": {"lasting_seconds": IN_A_WHILE},
        "pause-gone": {"delay_seconds": SOON},
        "sandbox-create-failing": {"delay_seconds": SOON},
        "sandbox-stuck-terminating": {"delay_seconds": IN_A_WHILE},
        "unlisted-pause": {"lasting_seconds": IN_A_WHILE},
        "unmanaged-process": {"lasting_seconds": IN_A_WHILE},
        "zombie-buildup": {"seen_for_seconds": SOON},
    },
)

RUNTIME_SECONDS = 5.0
"""A call to the runtime may take so long on a busy machine: one that has not answered by then is an outage."""

LEAST_SAMPLES = 20
"""For quarters and tenths to be told apart."""

UNSEEN_SHARE = 0.05
"""Of the scans, at which nobody looked. What is told is told in two scans at least, so that this misses little."""

GROWTH_MIB = 4.0
GROWTH_DESCRIPTORS = 3
GROWTH_OF_A_SCAN = 2.0
"""Times what it was: a busy machine changes it by as much, and what leaks in each scan changes it by more."""


@pytest.fixture
def runtime_class(cluster: Cluster) -> Iterator[None]:
    """A RuntimeClass whose handler no runtime of the lab has."""
    cluster.apply(attended.RUNTIME_CLASS)
    yield
    cluster.kubectl("delete", "runtimeclass", attended.NOWHERE)


@pytest.mark.timeout(1.5 * 60 * MINUTES + 1800)
@pytest.mark.usefixtures("runtime_class")
def test_soak(
    cluster: Cluster, nested_node: NestedNode, start_agent: StartAgent, record_property: Callable[[str, object], None]
) -> None:
    """One agent for all of it tells what is wrong while it is, and takes in the end what it took in the beginning."""
    print(f"soak: SOAK_SEED={SEED} SOAK_MINUTES={MINUTES:g}", flush=True)  # noqa: T201
    nested_node.apply(lasting(nested_node, Pod("steady")))
    steady = nested_node.wait_for_pod("steady", limit_seconds=POD_SECONDS)
    ledger = Ledger(pace=PACE)
    with Wire(cluster.places.certificates.server) as wire:
        kubeconfig = through(wire, agent_kubeconfig(nested_node))
        variables = {"PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS": f"{RUNTIME_SECONDS:g}"}
        agent = start_agent(PACE, kubeconfig, variables, nested_node)
        await_report(nested_node, agent, "that is healthy", lambda report: is_healthy(report) and judges_all(report))
        watcher = Watcher(agent, ledger)
        samples = watcher.samples
        try:
            with watcher, Soak(nested_node, agent, watcher, ledger, Outages(nested_node, wire, steady)) as soak:
                soak.run(rounds(SEED, KINDS), MINUTES, LEAST_FAULTS)
                watcher.check()
        finally:
            # What was seen in hours is told as well where they end too early.
            if len(samples) >= LEAST_SAMPLES:
                title = f"SOAK_SEED={SEED}, a scan every {PACE.scan_period_seconds:g} s"
                table = rendered(ledger, samples, title=title)
                record_property(SOAK, table)
                print(table)  # noqa: T201

    assert ledger.problems == []
    assert len(ledger.unseen) <= ledger.scans * UNSEEN_SHARE
    assert len(ledger.cases) >= LEAST_FAULTS
    assert len({case.kind.name for case in ledger.cases}) >= LEAST_KINDS
    assert all(case.cleared_at is not None for case in ledger.cases)
    assert resident_mib(samples).last <= resident_mib(samples).first + GROWTH_MIB
    assert descriptors(samples).last <= descriptors(samples).first + GROWTH_DESCRIPTORS
    assert scan_seconds(samples).last <= scan_seconds(samples).first * GROWTH_OF_A_SCAN
