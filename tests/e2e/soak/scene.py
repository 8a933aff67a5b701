"""The place of one fault: a node, its agent, and the pods that are the fault's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from e2e.support.agent import Agent
from lab.pods import Pod, RunningPod
from lab.shapes.nested_node import NestedNode

POD_SECONDS = 180.0
"""For a pod to start or end on a machine that does much else: nothing is promised about that."""

READY = 0
"""SANDBOX_READY of the CRI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where a fault is made.

    Attributes:
        node: The node.
        agent: Of the node; a wait ends when it does.
        name: For the pod of a fault that makes its own.
        pods: Healthy ones that were made for the fault.
    """

    node: NestedNode
    agent: Agent
    name: str
    pods: tuple[RunningPod, ...]

    @contextmanager
    def running(self, pod: Pod) -> Iterator[RunningPod]:
        """Within this context the kubelet runs a pod; afterwards it is gone from the node."""
        self.node.apply(lasting(self.node, pod))
        try:
            yield self.node.wait_for_pod(pod.name, limit_seconds=POD_SECONDS)
        finally:
            delete_pods(self.node, pod.name)
            self.await_gone(pod.name)

    @contextmanager
    def beside_the_kubelet(self, pod: Pod) -> Iterator[RunningPod]:
        """Within this context the runtime runs a pod of which neither kubelet nor API server know."""
        running = self.node.runtime.run(pod)
        try:
            yield running
        finally:
            self.node.runtime.remove(running)

    def await_gone(self, name: str) -> None:
        """Wait until no sandbox of a pod is up on the node."""
        self.wait(f"{name} to be gone", lambda: name not in ready_pods(self.node))

    def wait(self, what: str, probe: Callable[[], object]) -> None:
        """Wait for something that takes as long as it takes."""
        self.agent.wait(what, probe, POD_SECONDS)


def lasting(node: NestedNode, pod: Pod) -> dict[str, Any]:
    """Return the manifest of a pod that stays on its node, however long that has no kubelet.

    Others are deleted five minutes after their node is called unreachable (Kubernetes: DefaultTolerationSeconds).
    """
    manifest = node.manifest(pod)
    manifest["spec"]["tolerations"] = [{"operator": "Exists"}]
    return manifest


def delete_pods(node: NestedNode, *names: str, force: bool = False) -> None:
    """Delete pods and wait for nothing; some that are gone are fine."""
    how = ("--force", "--grace-period=0") if force else ()
    node.kubectl("delete", "pod", *names, "--namespace=lab", "--ignore-not-found", "--wait=false", *how)


def ready_pods(node: NestedNode) -> set[str]:
    """The names of the pods that have a ready sandbox.

    Raises:
        LabError: The runtime does not answer.
    """
    return {one.metadata.name for one in node.runtime.client.sandboxes() if one.state == READY}
