# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

import asyncio
import gc
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cluster.api_server import Answer, FakeApi, asking, kubeconfig, serving, status_object
from pausewatch.cluster.client import ApiClient, open_session, refusal
from pausewatch.cluster.connection import Connection, ConnectionPlace, read_connection
from pausewatch.cluster.errors import NAMESPACE_TERMINATING, RESOURCE_UNKNOWN, ApiError


def asked_with(api: FakeApi, folder: Path, **request: Any) -> dict[str, Any]:
    """Make one request to a fake server and return its answer."""

    async def ask() -> dict[str, Any]:
        async with asking(api, folder) as client:
            return await client.request(**{"method": "GET", "path": "/api/v1/pods"} | request)

    return asyncio.run(ask())


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


def test_token_is_read_for_each_request(tmp_path: Path) -> None:
    """A rotated one is used at once."""
    api = FakeApi()

    async def ask() -> None:
        async with serving(api, tmp_path) as place:
            client = ApiClient(place)
            await client.request("GET", "/first")
            assert place.kubeconfig is not None
            place.kubeconfig.write_text(place.kubeconfig.read_text().replace("of-a-test", "rotated"))
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
            assert place.kubeconfig is not None
            place.kubeconfig.write_text(place.kubeconfig.read_text().replace("of-a-test", "rotated"))
            await asyncio.gather(*(client.request("GET", f"/{number}") for number in range(3)))
            await client.close()
        gc.collect()

    asyncio.run(ask())

    assert "Unclosed" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ((403, status_object(403, "Forbidden")), 403, "Forbidden"),
        (
            (403, {"kind": "Status", "details": {"causes": [7, {"reason": NAMESPACE_TERMINATING}]}}),
            403,
            NAMESPACE_TERMINATING,
        ),
        ((403, {"kind": "Status", "reason": "Forbidden", "details": {"causes": 7}}), 403, "Forbidden"),
        ((404, status_object(404, "NotFound", name="node-7")), 404, "NotFound"),
        ((404, "404 page not found\n"), 404, RESOURCE_UNKNOWN),
        ((503, "upstream connect error"), 503, "Http503"),
        ((200, "<html>"), 0, "Unreachable"),
    ],
)
def test_refusal_tells_status_and_reason(tmp_path: Path, answer: Answer, status: int, reason: str) -> None:
    """The server's own word where it has one."""
    with pytest.raises(ApiError) as caught:
        asked_with(FakeApi(lambda _: answer), tmp_path)

    assert (caught.value.status, caught.value.reason) == (status, reason)


def test_patience_that_a_server_asks_for_is_understood() -> None:
    """In seconds; a date, which Kubernetes never sends, is not."""
    content = json.dumps(status_object(429, "TooManyRequests")).encode()

    assert refusal("GET /", 429, "17", content).retry_after_seconds == 17
    assert refusal("GET /", 429, "Wed, 21 Oct 2026 07:28:00 GMT", content).retry_after_seconds == 0
    assert refusal("GET /", 429, "", content).retry_after_seconds == 0


@pytest.mark.parametrize(
    ("asked", "heard"),
    [("17", "17"), ("86400", "300"), ("9" * 400, "300"), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
    ids=["seconds", "a day", "for ever", "a date"],
)
def test_nobody_is_patient_for_longer_than_five_minutes(tmp_path: Path, asked: str, heard: str | None) -> None:
    """Neither we nor kopf: it would sleep for as long, and end at a date."""
    api = FakeApi(lambda _: (429, status_object(429, "TooManyRequests"), {"Retry-After": asked}))

    async def ask() -> str | None:
        async with serving(api, tmp_path) as place:
            connection = read_connection(place)
            assert isinstance(connection, Connection)
            async with open_session(connection) as session, session.get(connection.server) as answer:
                return answer.headers.get("Retry-After")

    assert asyncio.run(ask()) == heard
    if heard:
        with pytest.raises(ApiError) as caught:
            asked_with(api, tmp_path)
        assert caught.value.retry_after_seconds == float(heard)


def test_unreachable_server_is_told(tmp_path: Path) -> None:
    """With its address."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{closed.getsockname()[1]}"
        (tmp_path / "config").write_text(kubeconfig(server, "t"))
        error = refused_by(ConnectionPlace(kubeconfig=tmp_path / "config"))

    assert (error.status, error.reason) == (0, "Unreachable")
    assert server in str(error)


def test_unusable_connection_is_told(tmp_path: Path) -> None:
    """As the reader of the kubeconfig says it."""
    error = refused_by(ConnectionPlace(kubeconfig=tmp_path / "missing"))

    assert error.reason == "NoConnection"


def test_unusable_authority_is_told(tmp_path: Path) -> None:
    """A certificate that is none is a mistake in the configuration, not the end of the agent."""
    text = kubeconfig("https://127.0.0.1:1", "t").replace(
        "cluster:\n    server", "cluster:\n    certificate-authority: ca\n    server"
    )
    (tmp_path / "config").write_text(text)
    (tmp_path / "ca").write_text("nothing")

    assert refused_by(ConnectionPlace(kubeconfig=tmp_path / "config")).reason == "Unreachable"


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


def refused_by(place: ConnectionPlace) -> ApiError:
    """Make one request and return how it failed."""

    async def ask() -> ApiError:
        client = ApiClient(place)
        try:
            await client.request("GET", "/api/v1/pods")
        except ApiError as error:
            return error
        finally:
            await client.close()
        raise AssertionError("the request was answered")

    return asyncio.run(ask())
