import json
from ipaddress import ip_address
from typing import Any

import pytest

from pausewatch.sources.network.cni_configuration import (
    CniConfigurationError,
    HostLocalNetwork,
    parse,
    parse_flannel_subnets,
)


def nothing(_: str) -> str:
    """Return the text of a subnet file that is not there."""
    return ""


def a_list(**ipam: Any) -> str:  # noqa: ANN401  any key of the plugin
    """Return a configuration as kubenet, kind and the lab have it."""
    plugin = {"type": "ptp", "ipam": {"type": "host-local", **ipam}}
    return json.dumps({"cniVersion": "0.4.0", "name": "cbr0", "plugins": [plugin, {"type": "portmap"}]})


def network(text: str) -> HostLocalNetwork:
    """Return the network of a text that has one."""
    found = parse(text, nothing)
    assert found is not None
    return found


def test_list_of_plugins() -> None:
    """The usual form: a directory per network, an address of each range."""
    found = network(a_list(ranges=[[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]))

    assert (found.name, found.directory) == ("cbr0", "/var/lib/cni/networks/cbr0")
    assert [[one.subnet for one in entry] for entry in found.ranges] == [["10.1.0.0/24"], ["fd00:1::/64"]]


def test_single_plugin_with_the_range_of_old() -> None:
    """A ``.conf`` file holds one plugin; the range can stand without a list."""
    found = network(
        json.dumps({"name": "old", "type": "bridge", "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}})
    )

    assert [span.addresses for (span,) in found.ranges] == [253]


def test_directory_of_its_own() -> None:
    """kind keeps its addresses where a reboot forgets them."""
    assert network(a_list(dataDir="/run/cni-ipam-state/")).directory == "/run/cni-ipam-state/cbr0"
    assert network(a_list(dataDir="relative")).directory == "/var/lib/cni/networks/cbr0"


@pytest.mark.parametrize(
    ("one", "addresses"),
    [
        ({"subnet": "10.1.0.0/24"}, 253),
        ({"subnet": "10.1.0.0/29"}, 5),
        ({"subnet": "10.1.0.0/30"}, 1),
        ({"subnet": "10.1.0.9/24"}, 253),
        ({"subnet": "10.1.0.0/24", "gateway": "10.1.0.254"}, 253),
        ({"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.10", "rangeEnd": "10.1.0.19"}, 10),
        ({"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.10", "rangeEnd": "10.1.0.19", "gateway": "10.1.0.15"}, 9),
        ({"subnet": "fd00::/120"}, 254),
        ({"subnet": "fd00::/64"}, 2**64 - 2),
    ],
)
def test_addresses_that_may_be_given_away(one: dict[str, str], addresses: int) -> None:
    """By the plugin's rules: no network, broadcast (IPv4) or gateway address."""
    ((span,),) = network(a_list(ranges=[[one]])).ranges

    assert span.addresses == addresses


def test_which_addresses_these_are() -> None:
    """What somebody reserved outside, or the gateway's, fills no range."""
    ((span,),) = network(a_list(ranges=[[{"subnet": "10.1.0.0/29"}]])).ranges

    held = [last for last in range(8) if span.holds(ip_address(f"10.1.0.{last}"))]
    assert held == [2, 3, 4, 5, 6]
    assert not span.holds(ip_address("::a01:3"))


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        "all",
        [[]],
        ["10.1.0.0/24"],
        [[{"subnet": "usePodCidr"}]],
        [[{}]],
        [[{"subnet": "10.1.0.0/31"}]],
        [[5]],
        [[{"subnet": "fe80::%\x1b/64"}]],
    ],
)
def test_range_that_can_not_be_understood_is_left_out(ranges: object) -> None:
    """Calico fills in the node's range itself; lost addresses are found all the same."""
    assert network(a_list(ranges=ranges)).ranges == ()


def test_other_plugins_have_their_own_books() -> None:
    """Calico's and Cilium's addresses are not in files of this node."""
    assert parse(json.dumps({"name": "k8s", "plugins": [{"type": "cilium-cni"}]}), nothing) is None
    assert (
        parse(json.dumps({"name": "k8s", "plugins": [{"type": "calico", "ipam": {"type": "calico-ipam"}}]}), nothing)
        is None
    )
    assert parse(json.dumps({"name": "k8s", "plugins": "none"}), nothing) is None
    assert parse(json.dumps({"name": "k8s", "plugins": [1, "a"]}), nothing) is None


def test_flannel_hands_on_the_subnet_of_its_daemon() -> None:
    """The configuration has no range; a file that the daemon writes has."""
    files = {"/run/flannel/subnet.env": "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.3.1/24\nFLANNEL_MTU=1450\n"}
    text = json.dumps({"name": "cbr0", "plugins": [{"type": "flannel", "delegate": {"isDefaultGateway": True}}]})

    found = parse(text, lambda path: files.get(path, ""))

    assert found is not None
    assert [[one.subnet for one in entry] for entry in found.ranges] == [["10.42.3.0/24"]]
    assert network(text).ranges == ()


def test_flannel_with_both_families() -> None:
    """A pod gets one address of each."""
    text = "FLANNEL_SUBNET=10.42.3.1/24\nFLANNEL_IPV6_SUBNET=2001:cafe:42:3::1/64\n"

    assert parse_flannel_subnets(text) == [[{"subnet": "10.42.3.1/24"}], [{"subnet": "2001:cafe:42:3::1/64"}]]


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "[]", "{}", '{"name": 1}', '{"name": "../../etc"}', '{"name": ".."}']
)
def test_text_that_is_no_configuration(text: str) -> None:
    """A name with a slash would lead out of the plugin's directory."""
    with pytest.raises(CniConfigurationError):
        parse(text, nothing)
