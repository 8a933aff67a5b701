"""Addresses of pods are given away for good, and run out."""

import shlex
from datetime import UTC, datetime

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.address_pool import AddressPool, AddressRange, ReservedAddress
from pausewatch.model.availability import Unavailable
from pausewatch.model.next_commands import only_if
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView

LEAKED_POD_ADDRESS = "LeakedPodAddress"
ADDRESS_POOL_NEARLY_USED = "AddressPoolNearlyUsed"
ADDRESSES_SHOWN = 3


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Judge the pools of the runtime's own network: one finding for its lost addresses, one for each full range."""
    pools = node.snapshot.address_pools
    found: list[Observation] = []
    for pool in () if isinstance(pools, Unavailable) else pools:
        leaked = _leaked(node, pool, thresholds["lasting_seconds"])
        if leaked:
            found.append(_observe_leak(pool, leaked, thresholds["lasting_seconds"]))
        found += [
            _observe_fullness(pool, full, leaked, thresholds["reserved_percent"])
            for full in pool.ranges
            if full.addresses and full.reserved * 100 >= full.addresses * thresholds["reserved_percent"]
        ]
    return tuple(found)


def _leaked(node: NodeView, pool: AddressPool, bound_seconds: float) -> list[ReservedAddress]:
    """Return reservations that have been there for long and whose owner is neither listed nor alive."""
    memberships = node.snapshot.memberships
    alive = {one.container_id for one in (() if isinstance(memberships, Unavailable) else memberships)}
    return [
        one
        for one in pool.unlisted
        if one.owner_id not in node.sandboxes
        and one.owner_id not in alive
        and node.snapshot.age_seconds(one.reserved_at_seconds) >= bound_seconds
    ]


def _observe_leak(pool: AddressPool, leaked: list[ReservedAddress], bound_seconds: float) -> Observation:
    several = len(leaked) > 1
    return Observation(
        reason=LEAKED_POD_ADDRESS,
        severity=Severity.WARNING,
        subject=Subject(),
        part=f"{pool.network}/leaked",
        message=(
            f"{at_least(len(leaked))} address{'es' if several else ''} of the CNI network {pool.network}"
            f" {'were' if several else 'was'} reserved more than {bound_seconds:g} s ago for"
            f" {'sandboxes' if several else 'a sandbox'} that the container runtime does not have: nothing will give"
            f" {'them' if several else 'it'} back, and when all are used no new pod gets an address"
        ),
        evidence=(
            Evidence(name="directory", value=pool.directory),
            *(Evidence(name="reservation", value=_reservation_text(one)) for one in leaked[:ADDRESSES_SHOWN]),
            *_usage(pool),
        ),
        next_commands=_next_commands(pool, leaked[0]),
        rests_on=(),
    )


def _observe_fullness(
    pool: AddressPool, full: AddressRange, leaked: list[ReservedAddress], bound_percent: float
) -> Observation:
    subnets = ", ".join(full.subnets)
    lost = f", {at_least(len(leaked))} of them for nobody" if leaked else ""
    where = f"{full.addresses} addresses in {subnets} of the CNI network {pool.network} are reserved{lost}"
    message = (
        f"All {where}: new pods stay in ContainerCreating"
        if full.reserved >= full.addresses
        else f"At least {bound_percent:g} % of the {where}: when none is left, new pods stay in ContainerCreating"
    )
    return Observation(
        reason=ADDRESS_POOL_NEARLY_USED,
        severity=Severity.CRITICAL,
        subject=Subject(),
        part=f"{pool.network}/{full.subnets[0] if full.subnets else 'range'}",
        message=message,
        evidence=(Evidence(name="directory", value=pool.directory), *_usage(pool)),
        next_commands=(
            NextCommand(run_on=RunOn.NODE, command=f"ls {shlex.quote(pool.directory)}"),
            NextCommand(run_on=RunOn.NODE, command="crictl pods"),
        ),
        rests_on=(),
    )


def _reservation_text(one: ReservedAddress) -> str:
    moment = f"{datetime.fromtimestamp(one.reserved_at_seconds, UTC):%Y-%m-%dT%H:%MZ}"
    return f"{one.address} for {one.owner_id} since {moment}"


def _usage(pool: AddressPool) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(name="range", value=f"{', '.join(one.subnets)}: {at_least(one.reserved)} of {one.addresses} reserved")
        for one in pool.ranges
    )


def _next_commands(pool: AddressPool, leaked: ReservedAddress) -> tuple[NextCommand, ...]:
    directory, owner = shlex.quote(pool.directory), shlex.quote(leaked.owner_id)
    # The plugin gives an address again as soon as it is free: by then the file belongs to another pod.
    file = shlex.quote(f"{pool.directory}/{leaked.address}")
    commands = (
        f"crictl pods --no-trunc --id {owner}",
        f"grep -rl -e {owner} {directory}",
        only_if(f"grep -q -F -e {owner} {file}", f"rm {file}"),
    )
    return tuple(NextCommand(run_on=RunOn.NODE, command=command) for command in commands)


CHECK = Check(
    id="leaked-pod-address",
    title="Addresses of pods are reserved for nobody, or nearly used up",
    reasons=(
        Reason(
            name=LEAKED_POD_ADDRESS,
            severities=(Severity.WARNING,),
            meaning="host-local keeps an address for a sandbox that the runtime does not have",
        ),
        Reason(
            name=ADDRESS_POOL_NEARLY_USED,
            severities=(Severity.CRITICAL,),
            meaning="the node has hardly an address left for new pods",
        ),
    ),
    needs=("sandboxes", "memberships", "address_pools"),
    thresholds=(
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=600,
            minimum=0,
            why="an address is reserved before the runtime lists the sandbox, and the kubelet gives it four minutes to "
            "make one; ten leave room for a node that is out of breath",
        ),
        Threshold(
            name="reserved_percent",
            unit="percent",
            default=90,
            minimum=1,
            why="room for what a drained neighbour sends over; higher where a node's pods are meant to fill its range",
        ),
    ),
    persistence=Persistence(
        looks=2, why="a sandbox that ends between two reads of one scan is gone from both in the next one"
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
