"""The network of sandboxes without any process inside, seen from inside: opt-in, because it enters their namespaces.

A network namespace that no process is in (CRI-O runs no pause; its containers may have ended) has no /proc/<pid>/net.
To look into it somebody has to enter it, which takes CAP_SYS_ADMIN. A child process does that, never this one; see
docs/decisions/0003-entering-network-namespaces.md.
"""

import errno
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.comparable import why_not_comparable
from pausewatch.model.network_pin import pin_paths
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.sandbox import Container, NamespaceMode, Sandbox, SandboxState
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.sources.place import Place
from pausewatch.sources.procfs.pinned import TooManyLinksError, nsfs_device, resolve_in_root

PERIOD_SECONDS = 60.0
"""Between two looks into a namespace in which everything was right: the child costs a tenth of a second of CPU."""

MOST_PROBED = 250
"""Namespaces that one child looks into: more than there are pods on a node. Each takes a millisecond."""

TIME_LIMIT_SECONDS = 5
"""Of one child."""

LOOPBACK = "lo"

CHILD = Path(__file__).with_name("interface_probe.py")
"""Started, never imported: what it needs would be in the memory of every agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    network: PodNetwork
    at_uptime_seconds: float
    complete: bool
    """Whether everything that the runtime reports was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    sandbox: Sandbox
    path: str
    told: tuple[str, ...]


class ProbeError(Exception):
    """The child could not look; the text says why."""


class DeepProbe:
    """Adds to a Snapshot what can only be seen from inside. What is remembered saves time and nothing else."""

    def __init__(self, time_limit_seconds: int = TIME_LIMIT_SECONDS) -> None:
        self._time_limit_seconds = time_limit_seconds
        self._seen: dict[str, _Seen] = {}

    def complete(self, so_far: Snapshot, place: Place) -> Snapshot:
        """Return the Snapshot with the networks of ready sandboxes that lack a process inside, and whether it could."""
        networks = so_far.pod_networks
        if isinstance(networks, Unavailable) or isinstance(so_far.sandboxes, Unavailable):
            return so_far
        targets = _targets(so_far, {one.sandbox_id for one in networks})
        self._seen = {key: seen for key, seen in self._seen.items() if key in targets}
        due = [target for key, target in targets.items() if self._is_due(key, so_far.uptime_seconds)][:MOST_PROBED]
        try:
            found = probe(due, place, self._time_limit_seconds) if due else {}
        except ProbeError as error:
            return replace(so_far, access=(*so_far.access, _access(str(error))))
        for target in due:
            self._seen.pop(target.sandbox.id, None)
            network = found.get(target.sandbox.id)
            if network is not None:
                complete = network.has_loopback and bool(network.links_up) and {*target.told} <= {*network.addresses}
                self._seen[target.sandbox.id] = _Seen(
                    network=network, at_uptime_seconds=so_far.uptime_seconds, complete=complete
                )
        more = {one.sandbox_id: one for one in networks} | {key: seen.network for key, seen in self._seen.items()}
        ordered = tuple(more[sandbox.id] for sandbox in so_far.sandboxes if sandbox.id in more)
        return replace(so_far, pod_networks=ordered, access=(*so_far.access, _access("")))

    def _is_due(self, sandbox_id: str, uptime_seconds: float) -> bool:
        """Whether to look again: what looks wrong must not rest on an old look."""
        seen = self._seen.get(sandbox_id)
        return seen is None or not seen.complete or uptime_seconds - seen.at_uptime_seconds >= PERIOD_SECONDS


def probe(targets: Iterable[_Target], place: Place, time_limit_seconds: int) -> Mapping[str, PodNetwork]:
    """Look into namespaces by one child process, and return what is there by sandbox id; those that are gone left out.

    Raises:
        ProbeError: The child could not start, may not enter, or took too long (it is killed then).
    """
    try:
        device = nsfs_device(place.proc)
    except OSError as error:
        raise ProbeError(printable(str(error))) from error
    files = {target: file for target in targets if (file := _file(target.path, place.root, device)) is not None}
    if not files:
        return {}
    # -I: neither the environment nor the working directory decides what the child imports.
    child = [sys.executable, "-I", str(CHILD), str(time_limit_seconds), *map(str, files.values())]
    try:
        done = subprocess.run(  # noqa: S603  our own program, and files of the runtime's own directory
            child, stdin=subprocess.DEVNULL, capture_output=True, env={}, timeout=time_limit_seconds + 1, check=True
        )
        answers = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise ProbeError(f"it was not done after {time_limit_seconds} s") from error
    except subprocess.CalledProcessError as error:
        said = printable(error.stderr.strip().rpartition(b"\n")[2])
        raise ProbeError(f"it ended with {error.returncode}: {said or 'nothing said'}") from error
    except (OSError, ValueError) as error:
        raise ProbeError(printable(str(error))) from error
    if any(answer.get("error") in (errno.EPERM, errno.EACCES) for answer in answers):
        raise ProbeError("the kernel does not let us enter network namespaces")
    return {
        target.sandbox.id: translate(target.sandbox.id, target.path, answer)
        for target, answer in zip(files, answers, strict=True)
        if "error" not in answer
    }


def translate(sandbox_id: str, path: str, interfaces: Mapping[str, Mapping[str, Any]]) -> PodNetwork:
    """Return the network that the child has seen."""
    held = {name: [_address(text) for text in one["addresses"]] for name, one in interfaces.items()}
    up = {name for name, one in interfaces.items() if one["up"]}
    addresses = {str(one) for each in held.values() for one in each if not (one.is_loopback or one.is_link_local)}
    return PodNetwork(
        sandbox_id=sandbox_id,
        process=None,
        process_owner_id=sandbox_id,
        path=path,
        addresses=tuple(sorted(addresses)),
        links_up=tuple(sorted(printable(name) for name in up if name != LOOPBACK)),
        has_loopback=LOOPBACK in up and any(one.is_loopback for one in held[LOOPBACK]),
    )


def _address(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text.partition("%")[0])  # a link-local one names its interface


def _targets(so_far: Snapshot, known: set[str]) -> dict[str, _Target]:
    """Return the sandboxes to look into, by id."""
    containers = () if isinstance(so_far.containers, Unavailable) else so_far.containers
    sandboxes = () if isinstance(so_far.sandboxes, Unavailable) else so_far.sandboxes
    targets = {}
    for sandbox in sandboxes:
        target = _target(sandbox, containers) if sandbox.id not in known else None
        if target is not None:
            targets[sandbox.id] = target
    return targets


def _target(sandbox: Sandbox, containers: tuple[Container, ...]) -> _Target | None:
    details = sandbox.details
    if sandbox.state is not SandboxState.READY or isinstance(details, Unavailable):
        return None
    if details.network_mode is not NamespaceMode.POD:
        return None
    if why_not_comparable(sandbox, tuple(one for one in containers if one.sandbox_id == sandbox.id)):
        return None
    paths = pin_paths(details)
    return _Target(sandbox=sandbox, path=paths[0], told=details.addresses) if paths else None


def _file(path: str, root: str, device: int) -> Path | None:
    """Return where a pin is for us; None if it is gone or is no namespace: nothing else is ever opened."""
    try:
        file = resolve_in_root(root, path)
        return file if file.lstat().st_dev == device else None
    except (OSError, TooManyLinksError):
        return None


def _access(trouble: str) -> AccessFact:
    if not trouble:
        return AccessFact(name="deep-probe", granted=True, detail="network namespaces can be entered")
    return AccessFact(
        name="deep-probe",
        granted=False,
        detail=f"the deep probe did not work: {trouble}",
        lost="addresses and links of pods without a process in their network namespace",
        remedy="grant CAP_SYS_ADMIN and CAP_SYS_PTRACE, or turn deepProbe off",
    )
