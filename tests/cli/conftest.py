from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.running import a_recording
from pausewatch.model.snapshot import Snapshot
from sources.cri.fake_runtime import FakeRuntime
from support.builders import a_snapshot
from support.changes import with_first_process, with_zombies
from support.parts import HOST_LINKS, UPTIME_SECONDS, WEB_APP_ID, WEB_APP_PID


def a_second_later(look: Snapshot) -> Snapshot:
    """Return the same node one second after."""
    return replace(look, uptime_seconds=UPTIME_SECONDS + 1)


@pytest.fixture
def healthy(tmp_path: Path) -> str:
    """Return the path of a recording in which nothing is wrong."""
    return a_recording(tmp_path / "healthy.json", a_snapshot(), a_second_later(a_snapshot()))


@pytest.fixture
def critical(tmp_path: Path) -> str:
    """Return the path of a recording with a container in the node's network namespace."""
    look = with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network)
    return a_recording(tmp_path / "critical.json", look, a_second_later(look))


@pytest.fixture
def informed(tmp_path: Path) -> str:
    """Return the path of a recording with young zombies: a finding of severity Info."""
    look = with_zombies(a_snapshot(), 12, WEB_APP_PID)
    return a_recording(tmp_path / "informed.json", look, a_second_later(look))


@pytest.fixture
def socket(tmp_path: Path) -> str:
    """Return where the runtime of a test listens, short enough for a socket."""
    return str(tmp_path / "s")


@pytest.fixture
def runtime(socket: str) -> Iterator[FakeRuntime]:
    """Run a container runtime without pods."""
    with FakeRuntime(Path(socket)) as running:
        yield running
