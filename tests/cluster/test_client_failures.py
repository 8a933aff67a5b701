"""Requests that fail: told with status and reason, and with how long the server wants to be left alone."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from cluster.api_server import Answer, FakeApi, asked_with, kubeconfig, serving, status_object
from pausewatch.cluster.client import ApiClient, open_session, refusal
from pausewatch.cluster.connection import Connection, ConnectionPlace, read_connection
from pausewatch.cluster.errors import NAMESPACE_TERMINATING, RESOURCE_UNKNOWN, ApiError


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
