"""One HTTP client for the API server: requests in, plain objects or ApiError out."""

import functools
import json
import logging
import ssl
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from pausewatch.cluster.connection import Connection, ConnectionPlace, read_connection
from pausewatch.cluster.errors import NAMESPACE_TERMINATING, NOT_FOUND, RESOURCE_UNKNOWN, ApiError
from pausewatch.cluster.watch_pace import WatchPace, paced
from pausewatch.model.availability import Unavailable
from pausewatch.version import program_version

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"

REQUEST_SECONDS = 10.0
"""Limit of one request. A healthy API server answers in milliseconds; its own limit is a minute."""

CONNECT_SECONDS = 5.0

OWN_CONNECTIONS = 4
"""More than these requests at once wait for each other."""

ERRORS_FROM = 400

RETRY_AFTER = "Retry-After"
LONGEST_RETRY_AFTER_SECONDS = 300.0
"""A server is left alone for no longer, whatever it asks for. The API server asks for seconds; a proxy on the way that
says a day would keep the agent from writing for that day, and its report would grow stale after one failed attempt,
which no alert tells. kopf would sleep that day, too."""

EVENTS = "/events"
"""How the path of Events of a Kubernetes namespace ends."""

logger = logging.getLogger(__name__)

Object = dict[str, Any]


Outcome = Callable[[str, ApiError | None], None]
"""Takes the path of a request and why it failed; None if it was answered."""


class ApiClient:
    """Talks to the API server that ``place`` names, with whatever is written there at the moment of a request.

    To be used and closed in one event loop.
    """

    def __init__(self, place: ConnectionPlace) -> None:
        self._place = place
        self._session: aiohttp.ClientSession | None = None
        self._connection: Connection | None = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | list[Object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Object:
        """Return the object that the server answers with.

        Args:
            method: Of HTTP.
            path: With a leading slash.
            query: Selectors and the like.
            body: Sent as JSON; ``headers`` may say which kind.
            headers: Beyond Accept and Content-Type of plain JSON.

        Raises:
            ApiError: Anything else than success, with its cause.
        """
        asked = f"{method} {path}"
        connection = read_connection(self._place)
        if isinstance(connection, Unavailable):
            raise ApiError(asked, 0, connection.reason, str(connection))
        try:
            session = await self._session_for(connection)
            async with session.request(
                method,
                f"{connection.server}{path}",
                params=query,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Accept": JSON, "Content-Type": JSON, **(headers or {})},
            ) as answer:
                if answer.status >= ERRORS_FROM:
                    raise refusal(asked, answer.status, answer.headers.get(RETRY_AFTER, ""), await answer.read())
                document: Object = await answer.json()
                return document
        except TimeoutError as error:
            raise ApiError(asked, 0, "Timeout", f"no answer within {REQUEST_SECONDS:g} s") from error
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise ApiError(asked, 0, "Unreachable", f"{connection.server}: {error}") from error

    async def close(self) -> None:
        """Give back the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def _session_for(self, connection: Connection) -> aiohttp.ClientSession:
        """Return a session for this connection; a renewed token or certificate gets another one."""
        if self._session is None or self._connection != connection:
            # Put in place before the other one is given back: whoever asks meanwhile must not open a third one.
            before, self._session = self._session, open_session(connection, limit=OWN_CONNECTIONS)
            self._connection = connection
            if before is not None:
                await before.close()
        return self._session


def open_session(
    connection: Connection,
    *,
    limit: int = 0,
    outcome: Outcome = lambda _, __: None,
    lists_may_lag: bool = False,
) -> aiohttp.ClientSession:
    """Return a session that is logged in, to be used and closed in the event loop of the moment.

    Args:
        connection: Whom to talk to, and as whom.
        limit: Of open connections; 0 for any number.
        outcome: Told after each request how it went.
        lists_may_lag: Whether a list may be a moment old, as for whoever goes on to watch from there.

    Raises:
        ssl.SSLError, OSError: A certificate or key is not usable.
    """
    authorization = {"Authorization": f"Bearer {connection.token}"} if connection.token else {}
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context(connection), limit=limit),
        timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS),
        headers={"User-Agent": f"pausewatch/{program_version()}", **authorization},
        middlewares=(
            metadata_only,
            *((from_watch_cache,) if lists_may_lag else ()),
            paced(WatchPace()),
            telling(outcome),
        ),
        response_class=SlimResponse,
    )


class SlimResponse(aiohttp.ClientResponse):
    """An answer that forgets, while it is parsed, who manages which field: half of a pod's metadata.

    It asks for no more patience than ``LONGEST_RETRY_AFTER_SECONDS``, in seconds: kopf ends at a date.
    """

    @property
    def headers(self) -> Any:  # noqa: ANN401  a type of a library that aiohttp uses
        """Return the headers."""
        given = super().headers
        asked = given.get(RETRY_AFTER)
        if asked is None or (asked.isdecimal() and float(asked) <= LONGEST_RETRY_AFTER_SECONDS):
            return given
        kept = given.copy()
        del kept[RETRY_AFTER]
        if asked.isdecimal():
            kept[RETRY_AFTER] = f"{LONGEST_RETRY_AFTER_SECONDS:.0f}"
        return type(given)(kept)

    async def json(self, **options: Any) -> Any:  # noqa: ANN401  aiohttp's signature
        """Return the parsed body."""
        return await super().json(**options | {"loads": functools.partial(json.loads, object_hook=_slim)})


async def metadata_only(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Ask for objects without spec and status wherever many are asked for: in every request with a field selector.

    A node's 250 pods are 4 MB otherwise, which kopf holds parsed, twice, until its index is complete: 35 MiB more than
    the agent needs without (Kubernetes API concepts: metadata-only fetches). An Event has no such parts: what it says
    would be left out.
    """
    query = request.url.query
    if "fieldSelector" in query and not request.url.path.endswith(EVENTS):
        kind = "PartialObjectMetadata" if query.get("watch") else "PartialObjectMetadataList"
        request.headers["Accept"] = f"{JSON};as={kind};g=meta.k8s.io;v=v1,{JSON}"
    return await handler(request)


async def from_watch_cache(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Let lists be answered from the API server's memory, by its index of nodes: ``resourceVersion=0``.

    As the kubelet asks for the pods of its node. Without it, an API server before Kubernetes 1.31 reads all pods of the
    cluster from etcd for those of one node, and before 1.34 for each page of a list but the first (apiserver:
    pkg/storage/cacher, shouldDelegateList): at 5,000 nodes the start of all agents would read them 5,000 times.
    """
    query = request.url.query
    if "fieldSelector" in query and "watch" not in query and "continue" not in query:
        request.url = request.url.update_query(resourceVersion="0")
    return await handler(request)


def telling(outcome: Outcome) -> aiohttp.ClientMiddlewareType:
    """Return a middleware that tells how each request went: whoever makes them, kopf for one, need not."""

    async def tell(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        path = request.url.path
        asked = f"{request.method} {path}"
        try:
            answer = await handler(request)
        except (aiohttp.ClientError, OSError) as error:
            # Of this very type: our own end was closed, because another request was refused with 401 and somebody logs
            # in anew. Told as unreachable, it would hide the 401 and send people to look at the network.
            if type(error) is not aiohttp.ClientConnectionError:
                # A timeout is an OSError too, and says nothing itself.
                outcome(path, ApiError(asked, 0, "Unreachable", str(error) or type(error).__name__))
            raise
        failed = answer.status >= ERRORS_FROM
        outcome(path, ApiError(asked, answer.status, f"Http{answer.status}", answer.reason or "") if failed else None)
        return answer

    return tell


def tls_context(connection: Connection) -> ssl.SSLContext:
    """Return how to recognize the server, and with which certificate to be recognized.

    Raises:
        ssl.SSLError, ValueError: A certificate or key is not usable.
    """
    context = ssl.create_default_context(cadata=connection.authority or None)
    if not connection.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if connection.certificate:
        # The ssl module takes a certificate and key from a file only. A service account needs none, so a container
        # with a read-only file system is not asked for one.
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
            file.write(f"{connection.certificate}\n{connection.private_key}\n")
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _slim(parsed: Object) -> Object:
    parsed.pop("managedFields", None)
    if "items" in parsed and parsed["items"] is None:
        # What the API server answers to a request for metadata only where there is nothing; kopf iterates over it, and
        # on a node without pods or report its watch would end at once, again and again.
        parsed["items"] = []
    return parsed


def refusal(asked: str, status: int, retry_after: str, content: bytes) -> ApiError:
    """Return the error that an answer stands for.

    Args:
        asked: The request, for people.
        status: Of HTTP, 400 or more.
        retry_after: The header of this name, in seconds; empty if there is none. A date is not understood.
        content: Usually a ``metav1.Status``; a proxy or a path that is not served answers with plain text.
    """
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    details = document.get("details") if isinstance(document, dict) else None
    is_status = isinstance(document, dict) and document.get("kind") == "Status"
    message = str(document.get("message", "")) if isinstance(document, dict) else content.decode("utf-8", "replace")
    reason = str(document.get("reason") or "") if isinstance(document, dict) and is_status else ""
    if status == NOT_FOUND and not (isinstance(details, dict) and details.get("name")):
        reason = RESOURCE_UNKNOWN
    causes = details.get("causes") if isinstance(details, dict) else None
    if isinstance(causes, list) and NAMESPACE_TERMINATING in [
        one.get("reason") for one in causes if isinstance(one, dict)
    ]:
        reason = NAMESPACE_TERMINATING
    return ApiError(
        asked,
        status,
        reason or f"Http{status}",
        message,
        retry_after_seconds=float(retry_after) if retry_after.isdecimal() else 0,
    )
