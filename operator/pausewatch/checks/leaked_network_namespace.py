"""The runtime left the network namespace of a sandbox behind."""

import shlex
from datetime import UTC, datetime

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.network_pin import NetworkPin
from pausewatch.model.next_commands import only_if
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView

LEAKED_NETWORK_NAMESPACE = "LeakedNetworkNamespace"
PINS_SHOWN = 3
HOLDERS_SHOWN = 3

DIRECTORY_OF_IP_NETNS = "/run/netns"
"""The only one that ``ip netns`` looks into."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...] | Unavailable:
    """Find pins that nobody owns and nobody uses; all of them are one finding, for they have one cause."""
    pins = node.snapshot.network_pins
    old = [
        pin
        for pin in (() if isinstance(pins, Unavailable) else pins)
        if node.snapshot.age_seconds(pin.made_at_seconds) >= thresholds["lasting_seconds"]
    ]
    leaked = [pin for pin in old if pin.processes_inside == 0]
    if not leaked:
        uncounted = [pin for pin in old if pin.processes_inside is None]
        return _not_counted(uncounted[0]) if uncounted else ()
    leaked.sort(key=lambda pin: (pin.made_at_seconds, pin.path))
    return (_observe(node, leaked, thresholds["lasting_seconds"]),)


def _not_counted(pin: NetworkPin) -> Unavailable:
    """Return that it is not known whether a pin is leaked: called clean, a finding about it would go."""
    return Unavailable(
        reason="NamespacesUnreadable",
        detail=f"no sandbox owns {pin.path}, and some processes could not be looked at, which may be inside",
        remedy="see `pausewatch doctor`",
    )


def _observe(node: NodeView, leaked: list[NetworkPin], bound_seconds: float) -> Observation:
    oldest = leaked[0]
    several = len(leaked) > 1
    return Observation(
        reason=LEAKED_NETWORK_NAMESPACE,
        severity=Severity.WARNING,
        subject=Subject(),
        message=(
            f"{at_least(len(leaked))} network namespace{'s' if several else ''} that the container runtime pinned more"
            f" than {bound_seconds:g} s ago belong{'' if several else 's'} to no sandbox and no process is inside,"
            f" {'the oldest' if several else 'made'} at {_time(oldest)}: a pod was not taken down completely, and its"
            " interfaces and perhaps its address stay in use"
        ),
        evidence=(
            *(Evidence(name="pin", value=_pin_text(pin)) for pin in leaked[:PINS_SHOWN]),
            *(Evidence(name="alsoHeldBy", value=text) for text in _holders(node, leaked)[:HOLDERS_SHOWN]),
        ),
        next_commands=_next_commands(oldest),
        rests_on=(),
    )


def _time(pin: NetworkPin) -> str:
    return f"{datetime.fromtimestamp(pin.made_at_seconds, UTC):%Y-%m-%dT%H:%MZ}"


def _pin_text(pin: NetworkPin) -> str:
    return f"{pin.path}, {namespace_text(NamespaceKind.NETWORK, pin.inode)}, made at {_time(pin)}"


def _holders(node: NodeView, leaked: list[NetworkPin]) -> list[str]:
    """Return who else has the namespaces mounted, in words, each once."""
    holders = dict.fromkeys(holder for pin in leaked for holder in pin.holders)
    processes = {holder: node.processes.get(holder.pid) for holder in holders}
    return [
        f"the mounts of pid {holder.pid}" + (f" ({process.name})" if process and process.identity == holder else "")
        for holder, process in processes.items()
    ]


def _next_commands(pin: NetworkPin) -> tuple[NextCommand, ...]:
    directory, _, name = pin.path.rpartition("/")
    if directory == DIRECTORY_OF_IP_NETNS:
        name = shlex.quote(name)
        nobody_inside = f'test -z "$(ip netns pids {name})"'
        commands = [f"ip netns pids {name}", only_if(nobody_inside, f"ip netns delete {name}")]
    else:
        path = shlex.quote(pin.path)
        # What is mounted there now has to be the namespace that was found; rm refuses while anything is mounted.
        found = shlex.quote(f"nsfs[{namespace_text(NamespaceKind.NETWORK, pin.inode)}]")
        still_it = f'test "$(findmnt -no SOURCE {path})" = {found}'
        commands = [f"findmnt {path}", only_if(still_it, f"umount {path}"), f"rm {path}"]
    return tuple(NextCommand(run_on=RunOn.NODE, command=command) for command in commands)


CHECK = Check(
    id="leaked-network-namespace",
    title="The network namespace of a pod was left behind",
    reasons=(
        Reason(
            name=LEAKED_NETWORK_NAMESPACE,
            severities=(Severity.WARNING,),
            meaning="the runtime pinned a network namespace that no sandbox owns and no process is in",
        ),
    ),
    needs=("network_pins",),
    thresholds=(
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=600,
            minimum=0,
            why="the runtime pins a namespace before it lists the sandbox, and the kubelet gives it four minutes to "
            "make one; ten leave room for a node that is out of breath",
        ),
    ),
    persistence=Persistence(
        looks=2, why="a sandbox that ends between two reads of one scan is gone from both in the next one"
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
