"""Pods that are broken in a way that is quick to make."""

from lab.pods import Container, Pod, RunningPod
from lab.processes import zombies_of
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

ZOMBIES = 120
"""Enough at every pace of the tests."""


def run_forgetful(cluster: Cluster) -> RunningPod:
    """Run a pod called "forgetful" whose PID 1 never waits for its dead children."""
    forgetful = cluster.run(Pod("forgetful", containers=(Container(command=("misbehave", "children", str(ZOMBIES))),)))
    wait_until("its children to die", lambda: len(zombies_of(forgetful.pid())) == ZOMBIES, 10)
    return forgetful
