"""What a user may change; every default is chosen so that nobody has to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRule:
    """Silences a known case; an empty field matches everything.

    Only the operator's settings do this, never a pod's own annotation: a tenant could hide a fault that way.
    """

    check: str = ""
    namespace: str = ""
    pod: str = ""

    def matches(self, *, check: str, namespace: str, pod: str) -> bool:
        """Whether a finding of ``check`` about this pod is to be silenced."""
        return self.check in ("", check) and self.namespace in ("", namespace) and self.pod in ("", pod)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one run."""

    node_name: str = ""
    """Empty: the machine's host name."""

    runtime_endpoint: str = ""
    """``unix:///path`` of the CRI socket; empty: the first one found in the usual places."""

    runtime_timeout_seconds: float = 2.0
    """Limit of one call to the runtime. A healthy one answers in milliseconds; a longer limit only delays the news
    that it hangs."""

    look_interval_seconds: float = 1.0
    """Between the looks of one ``scan``: long enough for a container that is just stopping to be gone."""

    scan_period_seconds: float = 30.0
    """Of the agent, from the start of one scan to the start of the next."""

    listen_address: str = ":7287"
    """``host:port`` of the agent's pages (metrics, health); without a host, all addresses of the machine or pod. 7287
    spells "paus" on a telephone and is outside the range that Prometheus' exporters have taken."""

    report_interval_seconds: float = 60.0
    """At least this long between two writes of the stored report. Shorter tells changes sooner and costs the API
    server of a large cluster more."""

    report_heartbeat_seconds: float = 600.0
    """An unchanged report is written again this often, to show that the agent lives. Rarer writes delay the news that
    it does not; 10 minutes on 5,000 nodes are 8 writes a second."""

    events: bool = True
    """Whether the agent tells a pod's owners of a finding by a Kubernetes Event on the pod: they may describe their
    pods, and mostly not read reports. Off, findings stand in the report and the metrics alone."""

    deep_probe: bool = False
    """Whether a child process enters the network namespaces of sandboxes that have no process inside, to see their
    addresses and links. It needs CAP_SYS_ADMIN, which nothing else of this program does."""

    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By check id and threshold name; what is missing has its declared default."""

    ignore: tuple[IgnoreRule, ...] = ()


def parse_listen_address(text: str) -> tuple[str, int] | None:
    """Return host and port of ``listen_address``; the host is empty for all addresses. None if it is none.

    >>> parse_listen_address(":7287"), parse_listen_address("[::1]:80"), parse_listen_address("7287")
    (('', 7287), ('::1', 80), None)
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isdecimal() or int(port) > HIGHEST_PORT or (":" in host and not bracketed):
        return None
    return (host[1:-1] if bracketed else host, int(port))
