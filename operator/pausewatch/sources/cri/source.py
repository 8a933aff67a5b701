"""The container runtime's view of the node: one reading per scan.

A reading asks for two lists, and for the verbose status of what is new or has changed its state since the last one:
a status costs the runtime about a millisecond, and what it tells does not change while the state does not.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Container, ContainerDetails, ContainerState, Sandbox, SandboxDetails
from pausewatch.model.sandbox_image import SandboxImage
from pausewatch.model.snapshot import Runtime, Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.cri import listing
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.client import ABOUT_ONE_CALL, NOT_FOUND, CriClient
from pausewatch.sources.cri.endpoint import choose_socket, endpoint_uri, existing_sockets
from pausewatch.sources.cri.memory import Memory
from pausewatch.sources.cri.peer import listener_pid
from pausewatch.sources.cri.sandbox_image import PERIOD_SECONDS, SandboxImageSource
from pausewatch.sources.cri.spare_threads import why_too_few
from pausewatch.sources.cri.translate import translate_runtime
from pausewatch.sources.cri.translate_container import translate_container, translate_exited_container
from pausewatch.sources.cri.translate_sandbox import translate_sandbox

STATUS_TIME_LIMITS = 3
"""The status calls of one reading end after this many times the time limit of one call. Asking for 110 sandboxes and
220 containers takes a healthy runtime about 0.2 s; what a slow one leaves open is asked in the next reading."""

NOT_CONNECTED = Unavailable(reason="NotConnected", detail="the container runtime was not reached in the last reading")

AnswerT = TypeVar("AnswerT")

Refusal: TypeAlias = Unavailable | None
"""Why no further status is asked for in this reading; None while there is no reason."""


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

    One thread at a time. ``read`` takes at most ``(5 + STATUS_TIME_LIMITS) * timeout_seconds`` and a little, that long
    only if the runtime answers everything at the last moment; one that hangs costs ``timeout_seconds`` once.
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
        self._refusal: Refusal = None
        self._asks_until: float | None = None
        self._forget()

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls the runtime was asked since this source was made, by method of the CRI."""
        return self._calls

    def read(self) -> CriReading:
        """Return what the runtime tells now; a failure is told in the parts that it concerns, never raised."""
        self._refusal = None
        self._asks_until = None
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
        new_sandboxes = listing.unknown(
            self._sandboxes, sandboxes if isinstance(sandboxes, Unavailable) else sandboxes.items
        )
        new_containers = listing.unknown(self._containers, listing.containers_but(sandboxes, containers))
        self._read_statuses(connection.client, new_sandboxes, new_containers)
        return CriReading(
            runtime=runtime,
            sandboxes=new_sandboxes if isinstance(new_sandboxes, Unavailable) else self._sandboxes.values(),
            containers=new_containers if isinstance(new_containers, Unavailable) else self._containers.values(),
            listener_pid=listener,
        )

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

        After a call that hung, or when all of them together took too long, nothing is asked before the next reading:
        with a time limit for each, a hundred suspicions would keep a scan waiting for minutes.
        """
        if self._connection is None:
            return NOT_CONNECTED
        now = self._clock()
        if self._asks_until is None:
            self._asks_until = now + STATUS_TIME_LIMITS * self._timeout_seconds
        if self._refusal is None and now > self._asks_until:
            self._refusal = self._too_slow()
        if self._refusal is not None:
            return self._refusal
        answer = ask(self._connection.client)
        if isinstance(answer, Unavailable) and answer.reason not in ABOUT_ONE_CALL:
            self._refusal = answer
        return answer

    def doubt(self, ids: Iterable[str]) -> None:
        """Ask in the next reading for the statuses of these sandboxes and containers, remembered or not."""
        for identifier in ids:
            self._sandboxes.doubt(identifier)
            self._containers.doubt(identifier)

    def close(self) -> None:
        """End the connection and forget everything; the next reading starts anew."""
        if self._connection is not None:
            self._connection.client.close()
        self._connection = None
        self._forget()

    def _forget(self) -> None:
        self._runtime: Runtime | None = None
        self._sandboxes: Memory[Sandbox] = Memory()
        self._containers: Memory[Container] = Memory()
        self._unanswered: set[str] = set()
        self._missing: set[str] = set()
        """What was listed in the last reading and unknown to the runtime when it was asked for its status."""
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

    def _read_statuses(
        self,
        client: CriClient,
        sandboxes: list[cri.PodSandbox] | Unavailable,
        containers: list[cri.Container] | Unavailable,
    ) -> None:
        """Ask for what the memories lack, until the runtime hangs or the time is up."""
        questions: list[tuple[str, Callable[[Refusal], Refusal]]] = []
        if not isinstance(sandboxes, Unavailable):
            questions += [(listed.id, partial(self._learn_sandbox, client, listed)) for listed in sandboxes]
        if not isinstance(containers, Unavailable):
            questions += [(listed.id, partial(self._learn_container, client, listed)) for listed in containers]
        # What hung last time comes last: one sandbox that blocks its runtime must not hide all others for ever.
        questions.sort(key=lambda question: question[0] in self._unanswered)
        ends_at = self._clock() + STATUS_TIME_LIMITS * self._timeout_seconds
        refusal: Refusal = None
        asked = {identifier for identifier, _ in questions}
        self._unanswered &= asked
        self._missing &= asked
        for identifier, learn in questions:
            if refusal is None and self._clock() > ends_at:
                refusal = self._too_slow()
            if refusal is not None:
                learn(refusal)
                continue
            failure = learn(None)
            if failure is None or failure.reason in ABOUT_ONE_CALL:
                self._unanswered.discard(identifier)
            else:
                self._unanswered.add(identifier)
                refusal = failure

    def _learn_sandbox(self, client: CriClient, listed: cri.PodSandbox, refusal: Refusal) -> Refusal:
        answer = refusal or client.sandbox_status(listed.id)
        if self._has_gone(listed.id, answer):
            return None
        sandbox = translate_sandbox(listed, answer)
        self._sandboxes.learn(listed, sandbox, settled=_settled(listed.state, answer, sandbox.details))
        return answer if isinstance(answer, Unavailable) else None

    def _learn_container(self, client: CriClient, listed: cri.Container, refusal: Refusal) -> Refusal:
        if listed.state == cri.CONTAINER_EXITED:
            exited = translate_exited_container(listed, self._containers.former(listed.id))
            self._containers.learn(listed, exited, settled=True)
            return None
        answer = refusal or client.container_status(listed.id)
        if self._has_gone(listed.id, answer):
            return None
        container = translate_container(listed, answer)
        settled = _settled(listed.state, answer, container.details) and not _lacks_pid(container)
        self._containers.learn(listed, container, settled=settled)
        return answer if isinstance(answer, Unavailable) else None

    def _has_gone(self, identifier: str, answer: object) -> bool:
        """Whether something ended between the list and the question for its status.

        Listed again and unknown again, it is something that the runtime contradicts itself about. Left out then, it
        would be taken for something that is not listed: its processes for left behind, its address for lost.
        """
        if not isinstance(answer, Unavailable) or answer.reason != NOT_FOUND:
            self._missing.discard(identifier)
            return False
        known_to_be_missing = identifier in self._missing
        self._missing.add(identifier)
        return not known_to_be_missing

    def _too_slow(self) -> Unavailable:
        seconds = STATUS_TIME_LIMITS * self._timeout_seconds
        return Unavailable(
            reason="RuntimeSlow",
            detail=f"the runtime took longer than {seconds:g} s for its answers; the rest is asked in the next scan",
            remedy="look for what keeps the container runtime or its disk busy",
        )


def _settled(
    listed_state: int,
    answer: cri.PodSandboxStatusResponse | cri.ContainerStatusResponse | Unavailable,
    details: SandboxDetails | ContainerDetails | Unavailable,
) -> bool:
    """Whether a status may stand for as long as the list shows ``listed_state``.

    One that is about another state already would be kept after a return to the listed one.
    """
    if isinstance(answer, Unavailable) or isinstance(details, Unavailable):
        return False
    return answer.status.state == listed_state


def _lacks_pid(container: Container) -> bool:
    """Whether a RUNNING container came without its process: kept, it would stay unjudged until its end."""
    details = container.details
    return container.state is ContainerState.RUNNING and not isinstance(details, Unavailable) and details.pid == 0


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
