"""What one stage of a simulation cost."""

from collections import Counter
from dataclasses import dataclass

from scale.requests import Request, most_in_a_second, percentile
from scale.servers import REQUESTS, Scrape

WATCHED = ("pods", "podsandboxreports")

Quantiles = tuple[int, float, float]
"""How many requests, and the seconds within which half of them and 99 of 100 were answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What happened between two scrapes."""

    name: str
    seconds: float
    by_server: dict[str, Quantiles]
    """Of each of ``servers.REQUESTS`` that was made, by the API server's own histogram."""

    by_client: dict[str, Quantiles]
    """By method and resource, as the agents saw it; requests of their watches are not in it."""

    most_in_a_second: int
    """Requests of the agents that began within one second, those of their watches left out."""

    failures: dict[str, int]
    """Requests that were not answered well, by reason."""

    rejected: int
    """Requests of anybody that the API server refused because too many were under way."""

    watches: dict[str, int]
    """Open in the end, by resource."""

    api_cores: float
    """CPU seconds of the API server per second."""

    etcd_cores: float
    client_cores: float
    """Of the simulation itself, which shares the machine."""

    api_resident_bytes: int
    etcd_resident_bytes: int
    fsync_seconds: Quantiles
    database_bytes: int
    """Of etcd, on the disk, in the end."""


def stage(name: str, before: Scrape, after: Scrape, requests: list[Request]) -> Stage:
    """Return what happened between two scrapes.

    Args:
        name: Of the stage.
        before: Its begin.
        after: Its end.
        requests: Of the agents, that began meanwhile.
    """
    began, ended = before.ended, after.began
    seconds = ended.at - began.at
    by_server = {kind: after.requests(kind).since(before.requests(kind)) for kind in REQUESTS}
    fsync = after.fsync().since(before.fsync())
    kinds = sorted({one.kind for one in requests})
    by_client = {kind: [one.seconds for one in requests if one.kind == kind] for kind in kinds}
    return Stage(
        name=name,
        seconds=seconds,
        by_server={
            kind: (int(found.count), found.quantile(0.5), found.quantile(0.99))
            for kind, found in by_server.items()
            if found.count
        },
        by_client={
            kind: (len(found), percentile(found, 50), percentile(found, 99)) for kind, found in by_client.items()
        },
        most_in_a_second=most_in_a_second([one.began for one in requests]),
        failures=dict(Counter(one.error for one in requests if one.error)),
        rejected=after.rejected() - before.rejected(),
        watches={resource: after.watches(resource) for resource in WATCHED},
        api_cores=(ended.api.cpu_seconds - began.api.cpu_seconds) / seconds,
        etcd_cores=(ended.etcd.cpu_seconds - began.etcd.cpu_seconds) / seconds,
        client_cores=(ended.client_cpu_seconds - began.client_cpu_seconds) / seconds,
        api_resident_bytes=ended.api.resident_bytes,
        etcd_resident_bytes=ended.etcd.resident_bytes,
        fsync_seconds=(int(fsync.count), fsync.quantile(0.5), fsync.quantile(0.99)),
        database_bytes=after.database_bytes,
    )
