# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cluster.api_server import Answer, FakeApi, asking, status_object
from pausewatch.cluster.errors import ApiError
from pausewatch.cluster.pods import get_pod, list_pods, translate
from pausewatch.model.pod import Pod

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def api_pod(annotations: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    """Return the metadata of a pod as the API server sends them."""
    own = {"namespace": "team-a", "name": "web-x", "uid": UID, "annotations": annotations}
    return {"kind": "PartialObjectMetadata", "metadata": own | metadata}


def test_ordinary_pod() -> None:
    """Its sandboxes carry the uid of its metadata."""
    assert translate(api_pod()) == Pod(namespace="team-a", name="web-x", uid=UID, deletion_grace_seconds=None)


def test_mirror_pod_has_the_uid_of_its_static_pod() -> None:
    """The kubelet runs the static pod, whose uid is the hash of its manifest; the API gives the mirror another one."""
    mirror = api_pod({"kubernetes.io/config.mirror": "7dbf0d0b35cb3ba1e5fb2e1e4d1c5c4e"})

    assert translate(mirror).uid == "7dbf0d0b35cb3ba1e5fb2e1e4d1c5c4e"


@pytest.mark.parametrize(
    ("metadata", "grace"),
    [
        ({"deletionTimestamp": "2026-11-21T09:14:03Z", "deletionGracePeriodSeconds": 30}, 30),
        ({"deletionTimestamp": "2026-11-21T09:14:03Z", "deletionGracePeriodSeconds": 0}, 0),
        ({"deletionTimestamp": "2026-11-21T09:14:03Z"}, 0),
        ({"deletionGracePeriodSeconds": 30}, None),
    ],
)
def test_grace_period_counts_only_while_a_pod_is_being_deleted(metadata: dict[str, Any], grace: float | None) -> None:
    """Zero is a period too: forced."""
    assert translate(api_pod(**metadata)).deletion_grace_seconds == grace


def test_time_of_a_deletion_is_when_it_is_due() -> None:
    """The API server adds the grace period to the time of the request; a time that makes no sense is none."""
    moment = datetime(2026, 11, 21, 9, 14, 3, tzinfo=UTC)

    assert translate(api_pod(deletionTimestamp="2026-11-21T09:14:03Z")).deletion_due_at == moment
    for nothing in (None, "", "soon", "2026-11-21T09:14:03", 7):
        assert translate(api_pod(deletionTimestamp=nothing)).deletion_due_at is None


def test_broken_object_is_an_empty_pod() -> None:
    """Whatever answers, it does not end the scan."""
    assert translate({}) == Pod(namespace="", name="", uid="", deletion_grace_seconds=None)


def run(answer: Answer, folder: Path) -> tuple[FakeApi, Any]:
    """Ask for one pod; return the server and what was found."""
    api = FakeApi(lambda _: answer)

    async def ask() -> Pod | None:
        async with asking(api, folder) as client:
            return await get_pod(client, "team-a", "web-x")

    return api, asyncio.run(ask())


def test_pod_of_a_name(tmp_path: Path) -> None:
    """Whatever its uid."""
    api, found = run((200, api_pod(uid="another")), tmp_path)

    assert found.uid == "another"
    assert api.asked[0].brief == "GET /api/v1/namespaces/team-a/pods/web-x"


def test_missing_pod_is_none(tmp_path: Path) -> None:
    """The API server names what it did not find."""
    assert run((404, status_object(404, "NotFound", name="web-x")), tmp_path)[1] is None


def test_404_of_something_else_is_no_missing_pod(tmp_path: Path) -> None:
    """A proxy that has no route to the API server must not make a pod an orphan."""
    with pytest.raises(ApiError):
        run((404, "no such route"), tmp_path)


def test_pods_of_a_node(tmp_path: Path) -> None:
    """Filtered by the server, and not from its cache: no resource version."""
    api = FakeApi(lambda _: (200, {"kind": "PartialObjectMetadataList", "items": [api_pod(), api_pod(name="b")]}))

    async def ask() -> tuple[Pod, ...]:
        async with asking(api, tmp_path) as client:
            return await list_pods(client, "node-7")

    assert [pod.name for pod in asyncio.run(ask())] == ["web-x", "b"]
    assert api.asked[0].brief == "GET /api/v1/pods"
    assert api.asked[0].query == {"fieldSelector": "spec.nodeName=node-7"}
