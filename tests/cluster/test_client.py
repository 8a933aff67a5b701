import asyncio
import gc
from pathlib import Path

import aiohttp
import pytest

from cluster.api_server import FakeApi, asked_with, serving
from pausewatch.cluster.client import ApiClient, open_session
from pausewatch.cluster.connection import Connection, ConnectionPlace, read_connection
from pausewatch.cluster.errors import ApiError


def test_request_is_logged_in_and_says_who_asks(tmp_path: Path) -> None:
    """The audit log of a cluster shows which program it was."""
    api = FakeApi()
    asked_with(api, tmp_path)

    (asked,) = api.asked
    assert asked.headers["Authorization"] == "Bearer of-a-test"
    assert asked.headers["User-Agent"].startswith("pausewatch/")


def test_body_is_sent_as_the_kind_that_is_asked_for(tmp_path: Path) -> None:
    """A patch is JSON of another name."""
    api = FakeApi()
    asked_with(api, tmp_path, method="PATCH", body=[{"op": "add"}], headers={"Content-Type": "application/x+json"})

    (asked,) = api.asked
    assert asked.body == [{"op": "add"}]
    assert asked.headers["Content-Type"] == "application/x+json"


def test_lists_with_a_selector_come_without_spec_and_status(tmp_path: Path) -> None:
    """And who manages which field is forgotten while the answer is read."""
    api = FakeApi(lambda _: (200, {"items": [{"metadata": {"name": "a", "managedFields": [{}]}}]}))
    found = asked_with(api, tmp_path, query={"fieldSelector": "spec.nodeName=node-7"})

    (asked,) = api.asked
    assert asked.headers["Accept"].startswith("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,")
    assert found == {"items": [{"metadata": {"name": "a"}}]}


def test_events_are_asked_for_with_what_they_say(tmp_path: Path) -> None:
    """They have neither spec nor status, and their message would be left out."""
    api = FakeApi()
    asked_with(api, tmp_path, path="/api/v1/namespaces/team-a/events", query={"fieldSelector": "involvedObject.uid=a"})

    assert api.asked[0].headers["Accept"] == "application/json"


def test_watches_with_a_selector_come_without_spec_and_status(tmp_path: Path) -> None:
    """kopf's session is made by the same function; an event holds one object, so the kind is another one."""
    api = FakeApi()

    async def watch() -> None:
        async with serving(api, tmp_path) as place:
            connection = read_connection(place)
            assert isinstance(connection, Connection)
            query = {"watch": "true", "fieldSelector": "spec.nodeName=node-7"}
            async with open_session(connection) as session, session.get(connection.server, params=query):
                pass

    asyncio.run(watch())

    (asked,) = api.asked
    assert asked.headers["Accept"].startswith("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,")


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ({"fieldSelector": "spec.nodeName=node-7"}, "0"),
        ({"fieldSelector": "spec.nodeName=node-7", "continue": "next"}, None),
        ({"fieldSelector": "spec.nodeName=node-7", "watch": "true", "resourceVersion": "41"}, "41"),
        ({}, None),
    ],
    ids=["list", "next page, which may have none", "watch from a list", "discovery"],
)
def test_lists_that_may_lag_come_out_of_the_api_server_s_memory(
    tmp_path: Path, query: dict[str, str], version: str | None
) -> None:
    """etcd would read the pods of all nodes for those of one."""
    api = FakeApi()

    async def ask() -> None:
        async with serving(api, tmp_path) as place:
            connection = read_connection(place)
            assert isinstance(connection, Connection)
            async with (
                open_session(connection, lists_may_lag=True) as session,
                session.get(f"{connection.server}/api/v1/pods", params=query),
            ):
                pass

    asyncio.run(ask())

    assert api.asked[0].query.get("resourceVersion") == version


def test_lists_of_our_own_are_of_this_moment(tmp_path: Path) -> None:
    """They prove that a pod is gone."""
    api = FakeApi()
    asked_with(api, tmp_path, query={"fieldSelector": "spec.nodeName=node-7"})

    assert "resourceVersion" not in api.asked[0].query


def test_request_without_selector_asks_for_whole_objects(tmp_path: Path) -> None:
    """Discovery and the report itself are no lists."""
    api = FakeApi()
    asked_with(api, tmp_path)

    assert api.asked[0].headers["Accept"] == "application/json"


def rotate_token(place: ConnectionPlace) -> None:
    """Write another token to where the client reads it."""
    assert place.kubeconfig is not None
    place.kubeconfig.write_text(place.kubeconfig.read_text().replace("of-a-test", "rotated"))


def test_token_is_read_for_each_request(tmp_path: Path) -> None:
    """A rotated one is used at once."""
    api = FakeApi()

    async def ask() -> None:
        async with serving(api, tmp_path) as place:
            client = ApiClient(place)
            await client.request("GET", "/first")
            rotate_token(place)
            await client.request("GET", "/second")
            await client.close()

    asyncio.run(ask())

    assert [asked.headers["Authorization"] for asked in api.asked] == ["Bearer of-a-test", "Bearer rotated"]


def test_token_that_is_renewed_under_several_requests_leaves_no_connection_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of them opened a session, and one was forgotten: with its connections, until somebody collected it."""
    api = FakeApi()

    async def ask() -> None:
        async with serving(api, tmp_path) as place:
            client = ApiClient(place)
            await client.request("GET", "/first")
            rotate_token(place)
            await asyncio.gather(*(client.request("GET", f"/{number}") for number in range(3)))
            await client.close()
        gc.collect()

    asyncio.run(ask())

    assert "Unclosed" not in caplog.text


def test_session_tells_how_each_request_went(tmp_path: Path) -> None:
    """kopf makes requests with it, and keeps their failures to itself."""
    api = FakeApi(lambda asked: (403, {}) if asked.path == "/forbidden" else (200, {}))
    told: list[tuple[str, str]] = []

    def outcome(path: str, error: ApiError | None) -> None:
        told.append((path, error.reason if error else "fine"))

    async def ask() -> None:
        async with serving(api, tmp_path) as place:
            connection = read_connection(place)
            assert isinstance(connection, Connection)
            session = open_session(connection, outcome=outcome)
            for path in ("/fine", "/forbidden"):
                async with session.get(f"{connection.server}{path}"):
                    pass
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{connection.server}/down")
        await session.close()

    asyncio.run(ask())

    assert [*dict.fromkeys(told)] == [("/fine", "fine"), ("/forbidden", "Http403"), ("/down", "Unreachable")]


def test_session_that_is_closed_meanwhile_tells_nothing_of_the_server(tmp_path: Path) -> None:
    """kopf closes it when one of its requests is refused, and the others are under way."""
    told: list[str] = []

    async def ask() -> None:
        async with serving(FakeApi(), tmp_path) as place:
            connection = read_connection(place)
            assert isinstance(connection, Connection)
            session = open_session(connection, outcome=lambda path, _: told.append(path))
            asking = asyncio.ensure_future(session.get(f"{connection.server}/any"))
            await asyncio.sleep(0)
            await session.close()
            with pytest.raises(aiohttp.ClientError):
                await asking

    asyncio.run(ask())

    assert told == []
