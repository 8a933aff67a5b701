"""The deep probe on a real node: a sandbox in whose network namespace no process is left."""

from pathlib import Path

from lab import faults
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.collector import Collector


def network_of(snapshot: Snapshot, sandbox_id: str) -> PodNetwork | None:
    """Return what was seen inside a sandbox; None if nobody looked."""
    assert not isinstance(snapshot.pod_networks, Unavailable), snapshot.pod_networks
    return next((one for one in snapshot.pod_networks if one.sandbox_id == sandbox_id), None)


def test_sandbox_whose_pause_is_dead_is_entered_by_its_file(lab: RuntimeLab) -> None:
    """The runtime has not noticed yet: READY, and nobody inside. Only the deep probe sees its address."""
    before = Path("/proc/self/ns/net").readlink()
    alive = lab.run(Pod("alive"))
    dead = lab.run(Pod("dead", containers=()))
    alive_pause, dead_pause = alive.pause_pid(), dead.pause_pid()
    address = lab.client.sandbox_status(dead.sandbox_id).network.ip
    with (
        Collector(Settings(runtime_endpoint=lab.endpoint)) as usual,
        Collector(Settings(runtime_endpoint=lab.endpoint, deep_probe=True)) as deep,
    ):
        # Statuses are remembered: with a stopped shim the runtime could not answer them.
        for collector in (usual, deep):
            collector.collect()
        with faults.stopped_shim(dead):
            faults.kill_unreaped(dead_pause)
            without, entered = usual.collect(), deep.collect()

    assert network_of(without, dead.sandbox_id) is None
    seen = network_of(entered, dead.sandbox_id)
    assert seen is not None
    assert (seen.addresses, seen.links_up, seen.has_loopback) == ((address,), ("eth0",), True)
    ordinary = network_of(entered, alive.sandbox_id)
    assert ordinary is not None
    assert ordinary.seen_through == f"pid {alive_pause}"
    assert Path("/proc/self/ns/net").readlink() == before
