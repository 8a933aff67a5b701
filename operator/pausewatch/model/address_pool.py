"""Addresses that the CNI plugin host-local has given away (containernetworking/plugins, plugins/ipam/host-local)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedAddress:
    """One file below the plugin's directory."""

    address: str
    owner_id: str
    """The id that the runtime gave to the plugin: the sandbox's."""

    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPool:
    """The addresses of one CNI network on this node."""

    network: str
    """The network's name in the CNI configuration."""

    directory: str
    """Where the reservations are, as the runtime sees it."""

    addresses_in_range: int | None
    """How many the configured ranges hold; None where the configuration does not tell."""

    reserved: tuple[ReservedAddress, ...]
