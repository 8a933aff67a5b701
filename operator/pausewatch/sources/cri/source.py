"""The container runtime's view of the node: one reading per scan.

A reading asks for two lists, and for the verbose status of what is new or has changed its state since the last one:
a status costs the runtime about a millisecond, and what it tells does not change while the state does not.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Container, Sandbox
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.model.snapshot import Runtime, Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.cri.client import ABOUT_ONE_CALL, CriClient
from pausewatch.sources.cri.endpoint import choose_socket, endpoint_uri, existing_sockets
from pausewatch.sources.cri.peer import listener_pid
from pausewatch.sources.cri.sandbox_image import PERIOD_SECONDS, SandboxImageSource
from pausewatch.sources.cri.spare_threads import why_too_few
from pausewatch.sources.cri.statuses import Statuses
from pausewatch.sources.cri.translate import translate_runtime
from pausewatch.sources.cri.turn import Turn

NOT_CONNECTED = Unavailable(reason="NotConnected", detail="the container runtime was not reached in the last reading")

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriReading:
    """What the runtime told in one reading."""

    runtime: Runtime | Unavailable
    sandboxes: tuple[Sandbox, ...] | Unavailable
    """By id."""

    containers: tuple[Container, ...] | Unavailable
    """By id."""

    listener_pid: int | Unavailable
    """The process behind the socket; ``Unavailable(reason="RuntimeInOtherPidNamespace")`` if it has no number here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """To one listener: another pid at the same path is another runtime, or the same one restarted."""

    path: str
    """As the node knows it, without the root below which it was connected to."""

    listener: int
    client: CriClient


class CriSource:
    """Reads the container runtime, and remembers what it told between readings.

    One thread at a time. ``read`` takes at most ``(5 + turn.TURN_TIME_LIMITS) * timeout_seconds`` and a little, that
    long only if the runtime answers everything at the last moment; one that hangs costs ``timeout_seconds`` once.
    """

    def __init__(
        self,
        endpoint: str | None,
        timeout_seconds: float,
        image_period_seconds: float = PERIOD_SECONDS,
        socket_root: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._socket_root = socket_root
        self._image = SandboxImageSource(image_period_seconds)
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._calls: Counter[str] = Counter()
        self._connection: _Connection | None = None
        self._confirmations = Turn(timeout_seconds, clock)
        self._forget()

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls the runtime was asked since this source was made, by method of the CRI."""
        return self._calls

    def read(self) -> CriReading:
        """Return what the runtime tells now; a failure is told in the parts that it concerns, never raised."""
        self._confirmations = Turn(self._timeout_seconds, self._clock)
        connection = self._connect()
        if isinstance(connection, Unavailable):
            return _nothing(connection, connection)
        listener = _visible(connection)
        runtime = self._read_runtime(connection)
        if isinstance(runtime, Unavailable) and runtime.reason not in ABOUT_ONE_CALL:
            return _nothing(runtime, listener)
        sandboxes = connection.client.list_sandboxes()
        if isinstance(sandboxes, Unavailable) and sandboxes.reason not in ABOUT_ONE_CALL:
            # Its name is known from before; whoever reads that it answered would look elsewhere.
            return _nothing(sandboxes, listener)
        containers = connection.client.list_containers()
        told = self._statuses.read(connection.client, sandboxes, containers)
        return CriReading(runtime=runtime, sandboxes=told[0], containers=told[1], listener_pid=listener)

    def sandbox_image(self, so_far: Snapshot) -> SandboxImage | Unavailable:
        """Return the image that the next sandbox is made from; asks the runtime of the last reading, and rarely.

        ``so_far`` holds what was read in the same scan, /proc included.
        """
        if self._connection is None:
            return NOT_CONNECTED
        return self._image.read(self._connection.client, so_far, self._connection.listener)

    @property
    def cni_directory(self) -> str:
        """Where the runtime has its CNI configuration, once ``sandbox_image`` was read; empty if it does not tell."""
        return self._image.cni_directory

    def still_running(self, container_id: str) -> bool | Unavailable:
        """Return whether the runtime lists a container as RUNNING at this moment; asks the runtime of the last reading.

        ``container_id`` is a whole id: the runtime takes the beginning of one as well, this does not.
        """
        answer = self._ask_again(lambda client: client.find_running_container(container_id))
        if isinstance(answer, Unavailable):
            return answer
        return any(container.id == container_id for container in answer.containers)

    def still_ready(self, sandbox_id: str) -> bool | Unavailable:
        """Return whether the runtime lists a sandbox as READY at this moment; else as ``still_running``."""
        answer = self._ask_again(lambda client: client.find_ready_sandbox(sandbox_id))
        if isinstance(answer, Unavailable):
            return answer
        return any(sandbox.id == sandbox_id for sandbox in answer.items)

    def _ask_again(self, ask: Callable[[CriClient], AnswerT | Unavailable]) -> AnswerT | Unavailable:
        """Ask about one of the things that are suspected after a reading.

        After a call that hung, or when all of them together took too long, nothing is asked before the next reading.
        """
        if self._connection is None:
            return NOT_CONNECTED
        refusal = self._confirmations.refusal()
        if refusal is not None:
            return refusal
        answer = ask(self._connection.client)
        self._confirmations.heed(answer)
        return answer

    def doubt(self, ids: Iterable[str]) -> None:
        """Ask in the next reading for the statuses of these sandboxes and containers, remembered or not."""
        self._statuses.doubt(ids)

    def close(self) -> None:
        """End the connection and forget everything; the next reading starts anew."""
        if self._connection is not None:
            self._connection.client.close()
        self._connection = None
        self._forget()

    def _forget(self) -> None:
        self._runtime: Runtime | None = None
        self._statuses = Statuses(self._timeout_seconds, self._clock)
        self._image.forget()

    def _connect(self) -> _Connection | Unavailable:
        existing = existing_sockets(Path(f"{self._socket_root}/")) if self._endpoint is None else frozenset[str]()
        path = choose_socket(self._endpoint, existing, self._socket_root)
        if isinstance(path, Unavailable):
            return path
        listener = listener_pid(f"{self._socket_root}{path}", self._timeout_seconds)
        if isinstance(listener, Unavailable):
            return listener
        known = self._connection
        if known is not None and (known.path, known.listener) == (path, listener):
            return known
        too_few = why_too_few()
        if too_few is not None:
            return too_few
        self.close()
        client = CriClient(f"{self._socket_root}{path}", self._timeout_seconds, self._calls)
        self._connection = _Connection(path=path, listener=listener, client=client)
        return self._connection

    def _read_runtime(self, connection: _Connection) -> Runtime | Unavailable:
        if self._runtime is None:
            answer = connection.client.version()
            if isinstance(answer, Unavailable):
                return answer
            self._runtime = translate_runtime(answer, endpoint_uri(connection.path))
        return self._runtime


def _visible(connection: _Connection) -> int | Unavailable:
    if connection.listener:
        return connection.listener
    return Unavailable(
        reason="RuntimeInOtherPidNamespace",
        detail=f"the runtime behind {printable(connection.path)} runs in another PID namespace",
        remedy="run in the runtime's PID namespace: hostPID: true for a pod",
    )


def _nothing(cause: Unavailable, listener: int | Unavailable) -> CriReading:
    return CriReading(runtime=cause, sandboxes=cause, containers=cause, listener_pid=listener)
