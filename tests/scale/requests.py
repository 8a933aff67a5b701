"""What the agents' own requests took, as the agents saw it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import quantiles

from pausewatch.cluster.client import ApiClient, Object
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.errors import ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that ended."""

    kind: str
    """Method and resource: ``PATCH podsandboxreports``."""

    began: float
    """By the monotonic clock."""

    seconds: float
    error: str = ""
    """Reason of the failure."""


@dataclass(slots=True)
class RequestLog:
    """All requests of all virtual nodes, in the order in which they ended."""

    requests: list[Request] = field(default_factory=list)

    def since(self, moment: float) -> list[Request]:
        """Return those that began then or later, by the monotonic clock."""
        return [one for one in self.requests if one.began >= moment]


class MeasuredClient(ApiClient):
    """The agent's client, which notes how long each answer took."""

    def __init__(self, place: ConnectionPlace, log: RequestLog) -> None:
        super().__init__(place)
        self._log = log

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | list[Object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Object:
        """See ApiClient."""
        began = time.monotonic()
        error = ""
        try:
            return await super().request(method, path, query=query, body=body, headers=headers)
        except ApiError as failure:
            error = failure.reason
            raise
        finally:
            kind = f"{method} {resource_of(path)}"
            self._log.requests.append(Request(kind=kind, began=began, seconds=time.monotonic() - began, error=error))


def resource_of(path: str) -> str:
    """Return the resource that a path of the API is about.

    >>> resource_of("/apis/pausewatch.github.io/v1alpha1/podsandboxreports/node-7/status")
    'podsandboxreports'
    >>> resource_of("/apis/events.k8s.io/v1/namespaces/lab/events")
    'events'
    """
    known = ("podsandboxreports", "events", "pods", "selfsubjectreviews")
    parts = path.split("/")
    return next((one for one in known if one in parts), path)


def percentile(seconds: list[float], percent: int) -> float:
    """Return the time within which that percentage of them were; 0 without any."""
    if len(seconds) <= 1:
        return sum(seconds)
    return quantiles(seconds, n=100, method="inclusive")[percent - 1]


def most_in_a_second(moments: list[float]) -> int:
    """Return the largest number of moments within any one second."""
    ordered = sorted(moments)
    most = first = 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
