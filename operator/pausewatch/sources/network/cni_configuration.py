"""The CNI network that a runtime puts pods into, as far as it uses the plugin host-local.

The runtime takes the first file of its configuration directory, by name (containerd: go-cni with ``max_conf_num`` 1;
CRI-O: ocicni), and only that one is read here: others belong to other tools (``87-podman.conflist``, nerdctl). The
format is the CNI specification's (containernetworking/cni, SPEC.md, section 1)::

    {"name": "cbr0", "plugins": [{"type": "ptp",
                                  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}]]}}]}

What host-local may give away follows its own rules (containernetworking/plugins, plugins/ipam/host-local:
backend/allocator/config.go and range.go): one address out of each entry of ``ranges``; a range goes from ``rangeStart``
(else the first address of the subnet) to ``rangeEnd`` (else the last one, in IPv4 the one before the broadcast
address), without the gateway (else the first address of the subnet).

The plugin flannel hands host-local a subnet that its daemon wrote to a file (flannel-io/cni-plugin, flannel.go).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

from pausewatch.model.text import printable

HOST_LOCAL = "host-local"
FLANNEL = "flannel"
DEFAULT_DATA_DIRECTORY = "/var/lib/cni/networks"
DEFAULT_SUBNET_FILE = "/run/flannel/subnet.env"
FLANNEL_SUBNETS = ("FLANNEL_SUBNET", "FLANNEL_IPV6_SUBNET")

Address = IPv4Address | IPv6Address


class CniConfigurationError(ValueError):
    """A file is no CNI configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The addresses of one subnet that the plugin may give away; addresses are numbers, as ``int(address)``."""

    subnet: str
    version: int
    """4 or 6."""

    first: int
    last: int
    gateway: int

    def holds(self, address: Address) -> bool:
        """Whether the plugin may give an address away."""
        number = int(address)
        return address.version == self.version and self.first <= number <= self.last and number != self.gateway

    @property
    def addresses(self) -> int:
        """How many these are."""
        return self.last - self.first + 1 - (self.first <= self.gateway <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLocalNetwork:
    """A network whose addresses host-local gives away."""

    name: str
    directory: str
    """Where its reservations are, as the runtime sees it."""

    ranges: tuple[tuple[Span, ...], ...]
    """A pod gets one address of each entry; an entry that could not be understood is left out."""


def parse(text: str, read_subnets: Callable[[str], str]) -> HostLocalNetwork | None:
    """Return the network of one configuration file; None if it does not use host-local.

    Args:
        text: Of a ``.conflist`` or a ``.conf``.
        read_subnets: Gets the path of flannel's subnet file and returns its text, empty if there is none.

    Raises:
        CniConfigurationError: it is no configuration.
    """
    try:
        configuration = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CniConfigurationError(f"is no JSON: {printable(str(error))}") from error
    name = configuration.get("name") if isinstance(configuration, dict) else None
    if not isinstance(name, str) or not name or "/" in name or name in (".", ".."):
        raise CniConfigurationError("names no network")
    plugins = configuration.get("plugins", [configuration])
    for plugin in plugins if isinstance(plugins, list) else ():
        ipam = _ipam(plugin, read_subnets) if isinstance(plugin, dict) else None
        if ipam is not None:
            told = ipam.get("dataDir")
            directory = told if isinstance(told, str) and told.startswith("/") else DEFAULT_DATA_DIRECTORY
            return HostLocalNetwork(
                name=printable(name), directory=f"{directory.rstrip('/')}/{name}", ranges=tuple(_ranges(ipam))
            )
    return None


def parse_flannel_subnets(text: str) -> list[list[Mapping[str, str]]]:
    r"""Return the ``ranges`` that flannel hands to host-local, from the file that its daemon writes.

    >>> parse_flannel_subnets("FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.3.1/24\n")
    [[{'subnet': '10.42.3.1/24'}]]
    """
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return [[{"subnet": values[key].strip()}] for key in FLANNEL_SUBNETS if values.get(key, "").strip()]


def _ipam(plugin: Mapping[str, object], read_subnets: Callable[[str], str]) -> Mapping[str, object] | None:
    """Return host-local's part of a plugin's configuration; None if it uses another one."""
    ipam = plugin.get("ipam")
    if isinstance(ipam, dict) and ipam.get("type") == HOST_LOCAL:
        return ipam
    if plugin.get("type") == FLANNEL:
        told = plugin.get("subnetFile")
        path = told if isinstance(told, str) and told.startswith("/") else DEFAULT_SUBNET_FILE
        return {"type": HOST_LOCAL, "ranges": parse_flannel_subnets(read_subnets(path))}
    return None


def _ranges(ipam: Mapping[str, object]) -> Iterator[tuple[Span, ...]]:
    """Yield the ranges that can be understood: ``subnet: usePodCidr`` (Calico), for one, names no subnet."""
    if isinstance(ipam.get("subnet"), str):  # the form of old, one range without a list
        yield from _spans([ipam])
    ranges = ipam.get("ranges")
    for entry in ranges if isinstance(ranges, list) else ():
        yield from _spans(entry)


def _spans(entry: object) -> Iterator[tuple[Span, ...]]:
    if not isinstance(entry, list) or not entry:
        return
    try:
        yield tuple(_span(one) for one in entry)
    except (ValueError, KeyError, TypeError):
        return


def _span(one: Mapping[str, str]) -> Span:
    """Return one range by the rules of host-local.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    subnet = ip_network(one["subnet"], strict=False)
    if subnet.num_addresses < 4:  # noqa: PLR2004  the plugin refuses /31, /32, /127 and /128
        raise ValueError("too small")
    if "%" in str(subnet):  # a zone, which Python takes for part of the address whatever it holds
        raise ValueError("no subnet of a pod")
    network, last = int(subnet.network_address), int(subnet.broadcast_address)
    is_ipv4 = isinstance(subnet, IPv4Network)

    def told(key: str, otherwise: int) -> int:
        return int(ip_address(one[key])) if one.get(key) else otherwise

    return Span(
        subnet=str(subnet),
        version=subnet.version,
        first=told("rangeStart", network + 1),
        last=told("rangeEnd", last - is_ipv4),
        gateway=told("gateway", network + 1),
    )
