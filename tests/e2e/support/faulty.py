"""What is broken in a way that is quick to make."""

from collections.abc import Iterator
from contextlib import contextmanager

from integration.support.restart import kill_runtime, shim_of, start_runtime_again
from integration.support.sandbox_image import import_other_image, use_other_image
from lab.pins import OTHER_PAUSE_IMAGE
from lab.pods import Container, Pod, RunningPod
from lab.processes import zombies_of
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_node import ClusterNode
from lab.waiting import wait_until

ZOMBIES = 120
"""Enough at every pace of the tests."""


def run_forgetful(cluster: Cluster) -> RunningPod:
    """Run a pod called "forgetful" whose PID 1 never waits for its dead children."""
    forgetful = cluster.run(Pod("forgetful", containers=(Container(command=("misbehave", "children", str(ZOMBIES))),)))
    wait_until("its children to die", lambda: len(zombies_of(forgetful.pid())) == ZOMBIES, 10)
    return forgetful


@contextmanager
def other_sandbox_image(node: ClusterNode, survivor: RunningPod) -> Iterator[None]:
    """Within this context sandboxes are made from another image than before; the runtime is restarted for it.

    Args:
        node: Whose runtime is told.
        survivor: A pod from before that runs all the time, with pids as the machine counts.
    """
    runtime = node.runtime
    configuration = runtime.places.run / "config.toml"
    before, shim = configuration.read_text(), shim_of(survivor)
    import_other_image(runtime)
    try:
        use_other_image(runtime, survivor)
        yield
    finally:
        configuration.write_text(before)
        kill_runtime(runtime)
        start_runtime_again(runtime, shim)
        runtime.client.remove_image(OTHER_PAUSE_IMAGE)
