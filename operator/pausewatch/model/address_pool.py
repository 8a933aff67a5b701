"""Addresses that the CNI plugin host-local has given away (containernetworking/plugins, plugins/ipam/host-local)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedAddress:
    """One file below the plugin's directory."""

    address: str
    """In canonical form."""

    owner_id: str
    """The id that the runtime gave to the plugin: the sandbox's."""

    interface: str
    """Inside the sandbox; empty where an old version of the plugin did not write it."""

    reserved_at_seconds: float
    """Unix time: the plugin writes the file once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRange:
    """One entry of ``ranges`` in the plugin's configuration; each pod gets an address of every one of them."""

    subnets: tuple[str, ...]
    """``10.200.0.0/16``; several where the entry joins them."""

    addresses: int
    """How many of them the plugin may give away."""

    reserved: int
    """How many of those it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPool:
    """The addresses of one CNI network on this node."""

    network: str
    """The network's name in the CNI configuration."""

    directory: str
    """Where the reservations are, as the runtime sees it."""

    ranges: tuple[AddressRange, ...]

    unlisted: tuple[ReservedAddress, ...]
    """Those whose owner has an id as the CRI makes them and was not listed by it, oldest first; at most a thousand."""
