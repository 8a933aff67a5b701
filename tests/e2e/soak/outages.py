"""What the agent can not reach for a while: its runtime, or its API server."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType

from e2e.soak.plan import Outage
from e2e.support.wire import Wire
from integration.support.restart import kill_runtime, shim_of, start_runtime_again
from lab import faults
from lab.pods import RunningPod
from lab.shapes.nested_node import NestedNode


class Outages:
    """Has the outages of one node."""

    def __init__(self, node: NestedNode, wire: Wire, steady: RunningPod) -> None:
        """Prepare.

        Args:
            node: The node.
            wire: From its agent to the API server.
            steady: A pod that runs all the time.
        """
        self._node = node
        self._wire = wire
        self._shim_pid = shim_of(node.seen_from_machine(steady))
        self._ways: Mapping[Outage, Callable[[], AbstractContextManager[None]]] = MappingProxyType(
            {
                Outage.RUNTIME_HANGS: lambda: faults.hanging_runtime(node.runtime),
                Outage.RUNTIME_RESTARTS: self._without_runtime,
                Outage.API_SERVER_REFUSES: self._without_api_server,
            }
        )

    def during(self, outage: Outage) -> AbstractContextManager[None]:
        """Return a context in which the agent can not reach something."""
        return self._ways[outage]()

    @contextmanager
    def _without_runtime(self) -> Iterator[None]:
        kill_runtime(self._node.runtime)
        try:
            yield
        finally:
            start_runtime_again(self._node.runtime, self._shim_pid)

    @contextmanager
    def _without_api_server(self) -> Iterator[None]:
        self._wire.cut()
        try:
            yield
        finally:
            self._wire.mend()
