"""What a user may change; every default is chosen so that nobody has to.

Each field carries its Declaration: the readers of flags, environment and file, ``agent --print-settings`` and
docs/settings.md are all made from it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Annotated

HIGHEST_PORT = 65_535


class Kind(Enum):
    """How the value of a setting is read."""

    TEXT = auto()
    ENDPOINT = auto()
    """Of a CRI socket."""

    DIRECTORY = auto()
    """An absolute path."""

    ADDRESS = auto()
    """``[host]:port``."""

    NUMBER = auto()
    SWITCH = auto()
    """``true`` or ``false``."""

    PART = auto()
    """No value of its own: a part of the settings file with entries of their own shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What people are told of a setting. Its key in a file and its environment variable follow from its name."""

    kind: Kind
    meaning: str
    """A sentence."""

    why: str
    """Why this default, and what another one costs."""

    unit: str = ""
    minimum: float = 0
    maximum: float = math.inf
    """Of a number; both are allowed."""

    flag: str = ""
    """Of the command line; empty where there is none."""

    more_variables: tuple[str, ...] = ()
    """That count as well, where its own environment variable says nothing."""


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
    """All settings of one run; what each one means is in its Declaration."""

    node_name: Annotated[
        str,
        Declaration(
            kind=Kind.TEXT,
            meaning="What this node is called: its name in the cluster, where it is in one.",
            why="the machine's host name. In a pod that is the pod's: there it comes from the field spec.nodeName"
            " (downward API). It does not belong into a file that several nodes share",
            flag="--node-name",
            # What manifests usually call the downward API's spec.nodeName.
            more_variables=("NODE_NAME",),
        ),
    ] = ""

    runtime_endpoint: Annotated[
        str,
        Declaration(
            kind=Kind.ENDPOINT,
            meaning="The container runtime's CRI socket, unix:///path.",
            why="the first one found in the usual places; on a node with several runtimes, say which one its kubelet"
            " uses",
            flag="--runtime-endpoint",
        ),
    ] = ""

    runtime_socket_root: Annotated[
        str,
        Declaration(
            kind=Kind.DIRECTORY,
            meaning="Where the node's root directory is, as far as the runtime's socket is concerned: the socket is"
            " connected to below it, and named in findings as the node knows it.",
            why="the socket has the same path here as on the node. In a pod whose /host/run is the node's /run, it is"
            " /host",
        ),
    ] = ""

    runtime_timeout_seconds: Annotated[
        float,
        Declaration(
            kind=Kind.NUMBER,
            meaning="Limit of one call to the container runtime.",
            why="a healthy one answers in milliseconds; a longer limit only delays the news that it hangs, and with"
            " one below a tenth of a second a busy one would look hung",
            unit="seconds",
            minimum=0.1,
            maximum=60,
        ),
    ] = 2.0

    look_interval_seconds: Annotated[
        float,
        Declaration(
            kind=Kind.NUMBER,
            meaning="Between the looks of one scan by hand, and between the first two of the agent.",
            why="long enough for a container that is just stopping to be gone; nobody waits a minute for a scan",
            unit="seconds",
            minimum=0.1,
            maximum=60,
        ),
    ] = 1.0

    scan_period_seconds: Annotated[
        float,
        Declaration(
            kind=Kind.NUMBER,
            meaning="From the start of one scan of the agent to the start of the next.",
            why="most findings have to last for one minute or more, so that a shorter period costs CPU and tells"
            " little sooner; a longer one delays them, by up to three periods",
            unit="seconds",
            minimum=1,
            maximum=3600,
        ),
    ] = 30.0

    listen_address: Annotated[
        str,
        Declaration(
            kind=Kind.ADDRESS,
            meaning="[HOST]:PORT of the agent's pages (metrics, health).",
            why='without a host, all addresses of the machine or pod; 7287 spells "paus" on a telephone and is'
            " outside the range that Prometheus' exporters have taken",
            flag="--listen",
        ),
    ] = ":7287"

    report_interval_seconds: Annotated[
        float,
        Declaration(
            kind=Kind.NUMBER,
            meaning="At least this long between two writes of the stored report.",
            why="shorter tells changes sooner and costs the API server of a large cluster more; a write each second"
            " is for a test cluster",
            unit="seconds",
            minimum=1,
            maximum=86_400,
        ),
    ] = 60.0

    report_heartbeat_seconds: Annotated[
        float,
        Declaration(
            kind=Kind.NUMBER,
            meaning="An unchanged report is written again this often, to show that the agent lives.",
            why="10 minutes on 5,000 nodes are 8 writes a second; rarer ones delay the news that an agent does not"
            " live, and beyond a day nobody would take a report for alive",
            unit="seconds",
            minimum=1,
            maximum=86_400,
        ),
    ] = 600.0

    events: Annotated[
        bool,
        Declaration(
            kind=Kind.SWITCH,
            meaning="Whether the agent tells a pod's owners of a finding by a Kubernetes Event on the pod.",
            why="pod owners may describe their pods, and mostly not read reports; off, findings stand in the report"
            " and the metrics alone",
            flag="--events",
        ),
    ] = True

    deep_probe: Annotated[
        bool,
        Declaration(
            kind=Kind.SWITCH,
            meaning="Whether a child process enters the network namespaces of sandboxes that have no process"
            " inside, to see their addresses and links.",
            why="it needs CAP_SYS_ADMIN, which nothing else of this program does",
        ),
    ] = False

    thresholds: Annotated[
        Mapping[str, Mapping[str, float]],
        Declaration(
            kind=Kind.PART,
            meaning="Bounds of the checks, by check and name.",
            why="each is what its check declares",
            flag="--set",
        ),
    ] = field(default_factory=dict)

    ignore: Annotated[
        tuple[IgnoreRule, ...],
        Declaration(
            kind=Kind.PART,
            meaning="Known cases that are not to be reported, but counted: each rule names at least one of check,"
            " namespace and pod, and matches everything of what it does not name.",
            why="nothing is silenced. A pod's own annotation never does that: a tenant could hide a fault",
        ),
    ] = ()

    @property
    def renewal_seconds(self) -> float:
        """How often an unchanged report is written again: only what was looked at since is written."""
        return max(self.report_heartbeat_seconds, self.scan_period_seconds)


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
