"""The configured sandbox image, asked of a real gRPC server; the node around it is the builders'."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Identity
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.sandbox_image import NamedImage, SandboxImage
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.client import CriClient
from pausewatch.sources.cri.sandbox_image import (
    MOST_OTHER_NAMES,
    PERIOD_SECONDS,
    TOLD_BY_SANDBOX,
    TOLD_BY_STATUS,
    SandboxImageSource,
    configured_name,
    name_by_newest_sandbox,
    tells_pins,
)
from sources.cri.fake_runtime import FakeRuntime
from support.builders import a_snapshot, present
from support.changes import with_first_process, with_sandbox
from support.parts import (
    CONTAINERD_PID,
    PAUSE_IMAGE,
    SHARED_SANDBOX_ID,
    WEB_SANDBOX_ID,
    a_first_process,
    a_process,
    a_runtime,
)

OLD = "localhost/pause:3.9"
TOLD = {"config": f'{{"sandboxImage": "{PAUSE_IMAGE}"}}'}


@pytest.fixture
def client(path: Path) -> Iterator[CriClient]:
    """Return a connection to the runtime of the test."""
    made = CriClient(str(path), 5.0, Counter())
    yield made
    made.close()


@pytest.fixture
def telling(runtime: FakeRuntime) -> FakeRuntime:
    """Return a runtime that tells its sandbox image, and has and pins it."""
    runtime.info = dict(TOLD)
    runtime.images[PAUSE_IMAGE] = cri.Image(id="sha256:new", pinned=True)
    return runtime


def read(source: SandboxImageSource, client: CriClient, snapshot: Snapshot | None = None) -> SandboxImage:
    """Return the image that a source tells."""
    told = source.read(client, snapshot or a_snapshot(), CONTAINERD_PID)
    assert not isinstance(told, Unavailable), told
    return told


def reason(source: SandboxImageSource, client: CriClient, snapshot: Snapshot | None = None) -> str:
    """Return why a source tells no image."""
    told = source.read(client, snapshot or a_snapshot(), CONTAINERD_PID)
    assert isinstance(told, Unavailable), told
    return told.reason


def test_image_that_the_status_tells(telling: FakeRuntime, client: CriClient) -> None:
    """With its id and pin; nothing is asked again before the period is over."""
    source = SandboxImageSource()

    expected = SandboxImage(image=PAUSE_IMAGE, told_by=TOLD_BY_STATUS, id="sha256:new", pinned=True, others=())
    assert [read(source, client) for _ in range(3)] == [expected] * 3
    assert telling.calls == {"Status": 1, "ImageStatus": 1}


def test_everything_is_asked_again_after_the_period(telling: FakeRuntime, client: CriClient) -> None:
    """What changed meanwhile is seen: another name, another pin."""
    source = SandboxImageSource(period_seconds=0)
    read(source, client)
    telling.info = {"config": f'{{"sandboxImage": "{OLD}"}}'}
    telling.images[OLD] = cri.Image(id="sha256:old")

    told = read(source, client)

    assert (told.image, told.pinned) == (OLD, False)
    assert told.others == (NamedImage(image=PAUSE_IMAGE, id="sha256:new"),)


def test_missing_image_is_asked_for_in_every_reading(telling: FakeRuntime, client: CriClient) -> None:
    """So it is missed for as long as it is missing, and no longer."""
    source = SandboxImageSource()
    image = telling.images.pop(PAUSE_IMAGE)
    missed = [read(source, client).present for _ in range(2)]
    telling.images[PAUSE_IMAGE] = image

    assert [*missed, read(source, client).present] == [False, False, True]
    assert telling.calls == {"Status": 1, "ImageStatus": 3}


def test_other_images_of_ready_sandboxes(telling: FakeRuntime, client: CriClient) -> None:
    """Asked for at once when a sandbox with a new name appears; one that is gone, or not ready, is left out."""
    source = SandboxImageSource()
    read(source, client)
    telling.images[OLD] = cri.Image(id="sha256:old")
    drifted = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, image=OLD)
    both = with_sandbox(drifted, SHARED_SANDBOX_ID, image="localhost/gone:1")

    assert read(source, client, both).others == (NamedImage(image=OLD, id="sha256:old"),)
    ended = with_sandbox(drifted, WEB_SANDBOX_ID, state=SandboxState.NOTREADY)
    assert read(source, client, ended).others == ()


def test_number_of_other_images_is_bounded(telling: FakeRuntime, client: CriClient) -> None:
    """However many names sandboxes tell."""
    many = (with_sandbox(a_snapshot(), WEB_SANDBOX_ID, image=f"localhost/pause:{number}") for number in range(20))
    sandboxes = tuple(sandbox for one in many for sandbox in present(one.sandboxes))
    read(SandboxImageSource(), client, a_snapshot(sandboxes=sandboxes))

    assert telling.calls["ImageStatus"] == 1 + MOST_OTHER_NAMES


def test_failure_is_told_and_not_repeated_before_the_period(telling: FakeRuntime, client: CriClient) -> None:
    """A runtime whose image service hangs costs one time limit in five minutes."""
    telling.failures["ImageStatus"] = grpc.StatusCode.UNKNOWN
    source = SandboxImageSource()

    assert [reason(source, client) for _ in range(3)] == ["CallFailed"] * 3
    assert telling.calls == {"Status": 1, "ImageStatus": 1}
    source.forget()
    telling.failures = {"Status": grpc.StatusCode.UNKNOWN}
    assert [reason(source, client) for _ in range(3)] == ["CallFailed"] * 3
    assert telling.calls["Status"] == 2


def test_sections_that_are_missing(telling: FakeRuntime, client: CriClient) -> None:
    """Without the runtime or its sandboxes nothing is asked."""
    down = Unavailable(reason="SocketMissing", detail="there is no socket")

    for snapshot in (a_snapshot(runtime=down), a_snapshot(sandboxes=down)):
        assert reason(SandboxImageSource(), client, snapshot) == "SocketMissing"
    assert telling.calls == {}


def test_containerd_2_tells_it_by_the_newest_sandbox(runtime: FakeRuntime, client: CriClient) -> None:
    """The status tells nothing; the sandbox that started last tells what is configured."""
    runtime.info = {"config": "{}"}
    runtime.images = {PAUSE_IMAGE: cri.Image(id="sha256:new"), OLD: cri.Image(id="sha256:old")}
    upgraded = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, image=OLD)
    source = SandboxImageSource()

    told = read(source, client, upgraded)

    assert (told.image, told.told_by) == (PAUSE_IMAGE, TOLD_BY_SANDBOX)
    # The configuration is read at the start only: what was told stays, also when that sandbox ends.
    assert read(source, client, with_sandbox(upgraded, SHARED_SANDBOX_ID, state=SandboxState.NOTREADY)).image == (
        PAUSE_IMAGE
    )


def test_sandbox_from_before_the_runtime_started_tells_nothing(runtime: FakeRuntime, client: CriClient) -> None:
    """It was made under a configuration that may be another one by now."""
    runtime.info = {}
    restarted = a_snapshot(
        processes=(a_process(CONTAINERD_PID, identity=Identity(pid=CONTAINERD_PID, start_ticks=999_999)),)
    )

    assert name_by_newest_sandbox(restarted, CONTAINERD_PID) == ""
    assert reason(SandboxImageSource(), client, restarted) == "SandboxImageNotTold"


@pytest.mark.parametrize(
    "snapshot",
    [
        a_snapshot(first_processes=Unavailable(reason="Missing", detail="missing")),
        a_snapshot(processes=Unavailable(reason="Missing", detail="missing")),
        a_snapshot(processes=()),
        a_snapshot(first_processes=()),
        with_first_process(
            with_first_process(a_snapshot(), WEB_SANDBOX_ID, in_own_cgroup=False),
            SHARED_SANDBOX_ID,
            in_own_cgroup=False,
        ),
    ],
    ids=["no first processes", "no processes", "runtime not seen", "no pauses", "strangers"],
)
def test_newest_sandbox_without_its_facts(snapshot: Snapshot) -> None:
    """What was not read tells no name."""
    assert name_by_newest_sandbox(snapshot, CONTAINERD_PID) == ""


def test_two_sandboxes_that_started_at_once() -> None:
    """A tie is decided by the name, so that two readings of one node are equal."""
    firsts = (
        a_first_process(WEB_SANDBOX_ID, 2301, identity=Identity(pid=2301, start_ticks=240_100)),
        a_first_process(SHARED_SANDBOX_ID, 2401),
    )
    snapshot = with_sandbox(a_snapshot(first_processes=firsts), WEB_SANDBOX_ID, image=OLD)

    assert name_by_newest_sandbox(snapshot, CONTAINERD_PID) == OLD


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (TOLD, PAUSE_IMAGE),
        ({"config": '{"sandboxImage": "pause\\u001b[31m"}'}, ""),
        ({"config": json.dumps({"sandboxImage": "p" * 300})}, ""),
        ({"config": '{"sandboxImage": 7}'}, ""),
        ({"config": "[]"}, ""),
        ({"config": "{"}, ""),
        ({"config": "[" * 100_000}, ""),
        ({}, ""),
    ],
    ids=["told", "no name", "too long", "no text", "no object", "no JSON", "too deep", "nothing"],
)
def test_configured_name(info: dict[str, str], name: str) -> None:
    """What is missing or odd reads as not told: asked for escaped, or cut, it would be missing on every node."""
    assert configured_name(info) == name


@pytest.mark.parametrize(
    ("name", "version", "told"),
    [
        ("containerd", "1.6.20~ds1", False),
        ("containerd", "v1.6.21", False),
        ("containerd", "v1.6.22", True),
        ("containerd", "v1.7.2", False),
        ("containerd", "1.7.3", True),
        ("containerd", "1.5.99", False),
        ("containerd", "2.0.0-rc.1", True),
        ("containerd", "2.4.2", True),
        ("containerd", "devel", False),
        ("cri-o", "1.37.0", True),
        ("docker", "27.0.0", False),
    ],
)
def test_runtimes_that_tell_pins(name: str, version: str, told: bool) -> None:  # noqa: FBT001  a parameter of a test
    """A field that is never filled reads like false."""
    assert tells_pins(a_runtime(name=name, version=version)) is told


def test_pin_of_a_runtime_that_does_not_tell_pins(telling: FakeRuntime, client: CriClient) -> None:
    """False is not believed, true is."""
    old = a_snapshot(runtime=a_runtime(version="1.6.20"))
    believed = read(SandboxImageSource(), client, old).pinned
    telling.images[PAUSE_IMAGE] = cri.Image(id="sha256:new", pinned=False)

    assert (believed, read(SandboxImageSource(), client, old).pinned) == (True, None)


def test_period() -> None:
    """Image and runtime status are asked every five minutes: a budget of the design."""
    assert PERIOD_SECONDS == 300
