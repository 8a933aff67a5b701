"""kopf's part of the agent: two filtered watches, an index of this node's pods, a login. It writes nothing.

No timer, no daemon, no handler of changes: those would put finalizers and annotations on the objects, and the finalizer
of an agent that is gone keeps every report for ever.
"""

import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import kopf

from pausewatch.cluster.client import Outcome, open_session
from pausewatch.cluster.connection import Connection
from pausewatch.cluster.errors import ApiError
from pausewatch.cluster.pods import translate
from pausewatch.cluster.reports import GROUP, PLURAL, VERSION, Seen
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod

PODS = ("v1", "pods")
REPORTS = (GROUP, VERSION, PLURAL)
"""How kopf's selectors and handlers must be told a resource: a key of one text, such as ``v1/pods``, is taken for a
resource of that *name*, matches nothing, and every agent would watch all pods of the cluster."""

LOGIN_MINUTES = 10
"""How long credentials are kept before they are read again: a service account's token is renewed every hour or so."""

LOGIN_RETRY_SECONDS = (10.0, 30.0)

REQUEST_SECONDS = 30
WATCH_SECONDS = (600, 900)
"""How long the server lets a watch last; each takes another time, so that not all agents come back together."""

LONGEST_BACKOFF_EXPONENT = 5
"""Attempts are at most 2^5 s apart, about as those of the other watches of a node (client-go: tools/cache/reflector.go,
30 s): a server that is back is noticed within half a minute, and the report is right within two scans."""


class WatchSession(Protocol):
    """What the handlers tell, and what they ask."""

    def connection(self) -> Connection | Unavailable:
        """Return how to reach the API server now."""

    def asked(self, path: str, error: ApiError | None) -> None:
        """Take note of how a request went."""

    def logged_in(self, login: kopf.AiohttpSession) -> None:
        """Take note of what has to be closed in the end."""

    def started(self, pods: Mapping[str, Any]) -> None:
        """Take the index of pods, which stays up to date from now on."""

    def pod_seen(self, *, listed: bool) -> None:
        """Take note of an event; the first one comes after the index has been filled."""

    def report_seen(self, seen: Seen, *, listed: bool) -> None:
        """Take note of an event of this node's report."""


class NoDifferences(kopf.DiffBaseStorage):
    """Remembers nothing of objects: no handler asks for changes, and kopf would copy each whole object to find them."""

    def build(self, **_: Any) -> Any:  # noqa: ANN401  kopf's own types are not public
        """Return what is essential of an object: nothing."""
        return {}

    def fetch(self, **_: Any) -> None:  # noqa: ANN401  the same
        """Return what was stored before: nothing."""

    def store(self, **_: Any) -> None:  # noqa: ANN401  the same
        """Store nothing: no annotation comes to be."""


class Backoffs:
    """An endless series of growing, random waits.

    kopf's own ends after 54 s, and then the operator ends: with the default, an API server that answers 503 for a
    minute would restart the watches of all nodes in step.
    """

    def __iter__(self) -> Iterator[float]:
        for attempt in itertools.count():
            yield random.uniform(0.5, 1) * 2 ** min(attempt, LONGEST_BACKOFF_EXPONENT)  # noqa: S311  no secret


def operator_settings(node_name: str) -> kopf.OperatorSettings:
    """Return kopf's settings for the agent of one node."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    # Without this, every agent lists and watches the definitions of all custom resources.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDifferences()
    # In one answer: the metadata of 250 pods takes 2 MiB, and only whole lists come out of the API server's memory.
    settings.watching.chunk_size = None
    settings.networking.error_backoffs = Backoffs()
    settings.networking.request_timeout = REQUEST_SECONDS
    # kopf writes it into the query as it is, and the server takes whole seconds only.
    settings.watching.server_timeout = random.randrange(*WATCH_SECONDS)  # noqa: S311  no secret
    settings.watching.field_selectors[PODS] = f"spec.nodeName={node_name}"
    settings.watching.field_selectors[REPORTS] = f"metadata.name={node_name}"
    return settings


def operator_registry(session: WatchSession) -> kopf.OperatorRegistry:
    """Return the handlers; a registry of its own has none of kopf's implicit logins."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:  # noqa: ANN401  kopf passes whatever it has
        login = login_of(session.connection(), session.asked)
        session.logged_in(login)
        return login

    @kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def begin(**known: Any) -> None:  # noqa: ANN401  the same
        session.started(known["pods"])

    @kopf.index(*PODS, id="pods", registry=registry)
    async def pods(body: Mapping[str, Any], **_: Any) -> dict[str, Pod]:  # noqa: ANN401  the same
        pod = translate(body)
        return {pod.uid: pod}

    @kopf.on.event(*PODS, registry=registry)
    async def pod_seen(type: str | None, **_: Any) -> None:  # noqa: A002, ANN401  kopf's name
        session.pod_seen(listed=type is None)

    @kopf.on.event(*REPORTS, registry=registry)
    async def report_seen(type: str | None, meta: Mapping[str, Any], **_: Any) -> None:  # noqa: A002, ANN401  the same
        seen = Seen(uid=meta["uid"], version=meta["resourceVersion"], deleted=type == "DELETED")
        session.report_seen(seen, listed=type is None)

    return registry


def login_of(connection: Connection | Unavailable, outcome: Outcome) -> kopf.AiohttpSession:
    """Return a connection as kopf wants it, to be asked for again in some minutes; then kopf closes its session.

    Raises:
        kopf.TemporaryError: There is none now; kopf asks again.
    """
    if isinstance(connection, Unavailable):
        raise kopf.TemporaryError(str(connection), delay=_retry_seconds())
    try:
        session = open_session(connection, outcome=outcome, lists_may_lag=True)
    except OSError as error:
        raise kopf.TemporaryError(f"the certificates are not usable: {error}", delay=_retry_seconds()) from error
    return kopf.AiohttpSession(
        aiohttp_session=session,
        server=connection.server,
        default_namespace="default",
        expiration=datetime.now(UTC) + timedelta(minutes=LOGIN_MINUTES),
    )


def _retry_seconds() -> float:
    return random.uniform(*LOGIN_RETRY_SECONDS)  # noqa: S311  no secret
