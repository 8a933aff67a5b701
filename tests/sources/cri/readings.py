"""What one reading of the runtime told, as tests ask for it."""

import itertools
from collections.abc import Callable

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Container, Sandbox
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.source import CriReading

SECONDS = 5.0
SHORT_SECONDS = 0.2
WEB_SANDBOX = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
WEB_CONTAINER = "a1c24b3c360c0bfd7e5eaef38feea5579dc21a650969922a7f7de267b4f10b35"


def a_second_each_time() -> Callable[[], float]:
    """Return a clock on which a second passes between two looks at it."""
    seconds = itertools.count()
    return lambda: float(next(seconds))


def sandboxes(reading: CriReading) -> dict[str, Sandbox]:
    """Return the sandboxes by id."""
    assert not isinstance(reading.sandboxes, Unavailable)
    return {sandbox.id: sandbox for sandbox in reading.sandboxes}


def containers(reading: CriReading) -> dict[str, Container]:
    """Return the containers by id."""
    assert not isinstance(reading.containers, Unavailable)
    return {container.id: container for container in reading.containers}


def reasons(reading: CriReading) -> tuple[str, ...]:
    """Return why each part could not be read; empty where it was."""
    parts = (reading.runtime, reading.sandboxes, reading.containers, reading.listener_pid)
    return tuple(part.reason if isinstance(part, Unavailable) else "" for part in parts)


def why(item: Sandbox | Container) -> str:
    """Return why the details of an item are missing; empty where they are there."""
    return item.details.reason if isinstance(item.details, Unavailable) else ""


def container_with_pid(identifier: str, pid: int) -> tuple[cri.Container, cri.ContainerStatusResponse]:
    """Return a running container."""
    return (
        cri.Container(id=identifier, state=cri.CONTAINER_RUNNING),
        cri.ContainerStatusResponse(
            status=cri.ContainerStatus(state=cri.CONTAINER_RUNNING), info={"info": f'{{"pid": {pid}}}'}
        ),
    )
