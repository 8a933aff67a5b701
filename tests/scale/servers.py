"""The API server and etcd of a lab's cluster: what they use, and what they say of themselves."""

import base64
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.processes import Process
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_daemons import ETCD
from lab.shapes.cluster_processes import Daemon
from scale.exposition import Histogram, Sample, histogram, samples, total

API_DURATION = "apiserver_request_duration_seconds"
WATCHES = "apiserver_longrunning_requests"
REJECTED = "apiserver_flowcontrol_rejected_requests_total"
FETCHED, RETURNED = "apiserver_cache_list_fetched_objects_total", "apiserver_cache_list_returned_objects_total"
STORED_LISTS = "apiserver_storage_list_evaluated_objects_total"
FSYNC = "etcd_disk_wal_fsync_duration_seconds"
DATABASE = "etcd_mvcc_db_total_size_in_bytes"

API_NAMES = (f"{API_DURATION}_bucket", WATCHES, REJECTED, FETCHED, RETURNED, STORED_LISTS)
ETCD_NAMES = (f"{FSYNC}_bucket", DATABASE)

_ASK = """\
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(sys.argv[1], sys.argv[2].encode() or None, timeout=30).read().decode())
"""
"""etcd listens inside the lab's network namespace only."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SCRAPE_ATTEMPTS = 10

REQUESTS = {
    "reports PATCH": {"verb": "PATCH", "resource": "podsandboxreports"},
    "reports POST": {"verb": "POST", "resource": "podsandboxreports"},
    "reports GET": {"verb": "GET", "resource": "podsandboxreports"},
    "reports LIST": {"verb": "LIST", "resource": "podsandboxreports"},
    "pods LIST": {"verb": "LIST", "resource": "pods"},
    "events POST": {"verb": "POST", "resource": "events", "group": "events.k8s.io"},
    "events PATCH": {"verb": "PATCH", "resource": "events", "group": "events.k8s.io"},
}
"""What agents ask, and nobody else in a cluster whose controllers rest, by the labels of the API server's metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a process has used since its start."""

    cpu_seconds: float
    resident_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """What everybody has used up to a moment."""

    at: float
    """By the monotonic clock."""

    api: Use
    etcd: Use
    client_cpu_seconds: float
    """Of this process, which shares the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What both servers say of themselves; asking takes them some CPU time, between two instants."""

    began: Instant
    ended: Instant
    api_samples: tuple[Sample, ...]
    etcd_samples: tuple[Sample, ...]

    @property
    def database_bytes(self) -> int:
        """How large etcd's database is on the disk, older versions of objects included."""
        return int(total(self.etcd_samples, DATABASE))

    def requests(self, name: str) -> Histogram:
        """Return how long the API server took for one of REQUESTS, by its own clock."""
        return histogram(self.api_samples, API_DURATION, **REQUESTS[name])

    def fsync(self) -> Histogram:
        """Return how long etcd waited for the disk."""
        return histogram(self.etcd_samples, FSYNC)

    def watches(self, resource: str) -> int:
        """Return how many watches of a resource are open."""
        return int(total(self.api_samples, WATCHES, verb="WATCH", resource=resource))

    def list_objects(self) -> tuple[float, float, float]:
        """Return how many objects LISTs took from the watch cache, returned of them, and looked at in etcd."""
        return (
            total(self.api_samples, FETCHED),
            total(self.api_samples, RETURNED),
            total(self.api_samples, STORED_LISTS),
        )

    def rejected(self) -> int:
        """Return how many requests were refused with 429 because too many were under way."""
        return int(total(self.api_samples, REJECTED))


class Servers:
    """The servers of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._api = self._process("kube-apiserver")
        self._etcd = self._process("etcd")
        self._compacted_at = ""

    def scrape(self, *, begins: bool) -> Scrape:
        """Ask both servers.

        Args:
            begins: Whether a stage begins after this. What the API server counts while etcd is asked belongs to no
                stage, so that a stage that begins asks the API server last, and one that has ended first.
        """
        began = self._instant()
        of_api = () if begins else self._api_samples()
        of_etcd = tuple(samples(self._ask_etcd("/metrics"), ETCD_NAMES))
        return Scrape(
            began=began,
            api_samples=of_api or self._api_samples(),
            etcd_samples=of_etcd,
            ended=self._instant(),
        )

    def stored_bytes(self) -> int:
        """Return how large etcd's database is in use, after every older version of an object was thrown away."""
        revision = self._etcd_status()["header"]["revision"]
        # etcd refuses to do it twice, and between two stages nobody may have written.
        if revision != self._compacted_at:
            self._ask_etcd("/v3/kv/compaction", {"revision": revision, "physical": True})
            self._compacted_at = revision
        self._ask_etcd("/v3/maintenance/defragment", {})
        return int(self._etcd_status()["dbSize"])

    def value_bytes(self, prefix: str) -> list[int]:
        """Return the sizes of the values that etcd has below a key."""
        first, last = prefix.encode(), prefix.encode()[:-1] + bytes([prefix.encode()[-1] + 1])
        span = {"key": base64.b64encode(first).decode(), "range_end": base64.b64encode(last).decode(), "limit": 50}
        answer = json.loads(self._ask_etcd("/v3/kv/range", span))
        return [len(base64.b64decode(one["value"])) for one in answer.get("kvs", [])]

    def _instant(self) -> Instant:
        return Instant(
            at=time.monotonic(), api=_use(self._api), etcd=_use(self._etcd), client_cpu_seconds=time.process_time()
        )

    def _etcd_status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._ask_etcd("/v3/maintenance/status", {}))
        return document

    def _ask_etcd(self, path: str, body: dict[str, Any] | None = None) -> str:
        sent = "" if body is None else json.dumps(body)
        return self._cluster.runtime.enter(sys.executable, "-c", _ASK, f"{ETCD}{path}", sent)

    def _api_samples(self) -> tuple[Sample, ...]:
        for _ in range(_SCRAPE_ATTEMPTS):
            if text := self._cluster.get("/metrics"):
                return tuple(samples(text, API_NAMES))
        raise LabError("the API server does not answer /metrics within its limit")

    def _process(self, name: str) -> Process:
        daemon = Daemon(self._cluster.name, name, self._cluster.places.log(name))
        process = daemon.find()
        if process is None:
            raise LabError(f"{name} does not run{daemon.log_tail()}")
        return process


def _use(process: Process) -> Use:
    """Read what a process used (proc_pid_stat(5): utime and stime are fields 14 and 15, rss is 24)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return Use(cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS, resident_bytes=int(fields[21]) * _PAGE_BYTES)
