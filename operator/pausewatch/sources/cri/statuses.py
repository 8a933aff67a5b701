"""The verbose statuses of sandboxes and containers, each asked for once for every state that they are in."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Container, ContainerDetails, ContainerState, Sandbox, SandboxDetails
from pausewatch.sources.cri import listing
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.client import NOT_FOUND, CriClient
from pausewatch.sources.cri.memory import Memory
from pausewatch.sources.cri.translate_container import translate_container, translate_exited_container
from pausewatch.sources.cri.translate_sandbox import translate_sandbox
from pausewatch.sources.cri.turn import Turn

Refusal: TypeAlias = Unavailable | None
"""Why no further status is asked for in this reading; None while there is no reason."""


class Statuses:
    """What one runtime told of what it lists, remembered between readings."""

    def __init__(self, timeout_seconds: float, clock: Callable[[], float]) -> None:
        """Know nothing yet; for ``timeout_seconds`` and ``clock`` see ``Turn``."""
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._sandboxes: Memory[Sandbox] = Memory()
        self._containers: Memory[Container] = Memory()
        self._unanswered: set[str] = set()
        self._missing: set[str] = set()
        """What was listed in the last reading and unknown to the runtime when it was asked for its status."""

    def read(
        self,
        client: CriClient,
        sandboxes: cri.ListPodSandboxResponse | Unavailable,
        containers: cri.ListContainersResponse | Unavailable,
    ) -> tuple[tuple[Sandbox, ...] | Unavailable, tuple[Container, ...] | Unavailable]:
        """Return sandboxes and containers as they are listed, each by id; asks ``client`` for what is not known."""
        new_sandboxes = listing.unknown(
            self._sandboxes, sandboxes if isinstance(sandboxes, Unavailable) else sandboxes.items
        )
        new_containers = listing.unknown(self._containers, listing.containers_but(sandboxes, containers))
        self._ask(client, new_sandboxes, new_containers)
        return (
            new_sandboxes if isinstance(new_sandboxes, Unavailable) else self._sandboxes.values(),
            new_containers if isinstance(new_containers, Unavailable) else self._containers.values(),
        )

    def doubt(self, ids: Iterable[str]) -> None:
        """Ask in the next reading for the statuses of these sandboxes and containers, remembered or not."""
        for identifier in ids:
            self._sandboxes.doubt(identifier)
            self._containers.doubt(identifier)

    def _ask(
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
        turn = Turn(self._timeout_seconds, self._clock)
        asked = {identifier for identifier, _ in questions}
        self._unanswered &= asked
        self._missing &= asked
        for identifier, learn in questions:
            refusal = turn.refusal()
            if refusal is not None:
                learn(refusal)
            elif turn.heed(learn(None)):
                self._unanswered.discard(identifier)
            else:
                self._unanswered.add(identifier)

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
