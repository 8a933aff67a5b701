import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.address_pool import AddressPool
from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.network.address_pools import AddressPools
from pausewatch.sources.place import Place
from support.builders import a_snapshot
from support.parts import WEB_SANDBOX_ID, hex_id

GONE = hex_id("gone")


class Node:
    """A root folder of a runtime with a CNI configuration, and the source that reads it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "800" / "root"
        self.configuration = self.root / "etc/cni/net.d"
        self.configuration.mkdir(parents=True)
        self.networks = self.root / "var/lib/cni/networks"
        self.place = Place(proc=str(folder), listener_pid=800, endpoint="/run/x.sock")
        self.source = AddressPools()
        self.configure("10-cbr0.conflist", "cbr0", "10.1.0.0/24")

    def configure(self, file: str, name: str, subnet: str) -> None:
        """Write a configuration file."""
        ipam = {"type": "host-local", "ranges": [[{"subnet": subnet}]]}
        content = {"name": name, "plugins": [{"type": "ptp", "ipam": ipam}]}
        (self.configuration / file).write_text(json.dumps(content))

    def reserve(self, address: str, owner: str, network: str = "cbr0") -> None:
        """Reserve an address."""
        (self.networks / network).mkdir(parents=True, exist_ok=True)
        (self.networks / network / address).write_bytes(f"{owner}\r\neth0".encode())

    def read(self, snapshot: Snapshot | None = None) -> tuple[AddressPool, ...] | Unavailable:
        """Read the pools."""
        return self.source.read(snapshot or a_snapshot(), self.place)

    def pool(self) -> AddressPool:
        """Read the one pool."""
        pools = self.read()
        assert not isinstance(pools, Unavailable), pools
        (pool,) = pools
        return pool

    def counts(self) -> tuple[str, list[int], list[str]]:
        """Return the network, how much of its ranges is reserved, and what of it for nobody."""
        pool = self.pool()
        return pool.network, [one.reserved for one in pool.ranges], [one.address for one in pool.unlisted]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Give a node without pods."""
    return Node(tmp_path)


def test_addresses_of_listed_sandboxes_and_of_nobody(node: Node) -> None:
    """Ids of another form belong to other users of the plugin: they fill the range and are not judged."""
    node.reserve("10.1.0.2", WEB_SANDBOX_ID)
    node.reserve("10.1.0.3", GONE)
    node.reserve("10.1.0.4", f"default-{GONE}")
    node.reserve("10.9.9.9", WEB_SANDBOX_ID)

    assert node.counts() == ("cbr0", [3], ["10.1.0.3"])
    assert node.pool().directory == "/var/lib/cni/networks/cbr0"
    assert [(one.subnets, one.addresses) for one in node.pool().ranges] == [(("10.1.0.0/24",), 253)]


def test_node_without_pods_yet(node: Node) -> None:
    """The plugin makes the directory later."""
    assert node.counts() == ("cbr0", [0], [])


def test_network_of_another_tool_is_not_looked_at(node: Node) -> None:
    """Podman's file comes later by name, and the runtime takes the first only."""
    node.configure("87-podman.conflist", "podman", "10.88.0.0/16")
    node.reserve("10.88.0.2", GONE, network="podman")

    assert node.counts() == ("cbr0", [0], [])


def test_configuration_is_read_anew_when_it_changes(node: Node) -> None:
    """Another file comes first, the first one is changed, or goes."""
    node.reserve("10.2.0.2", GONE, network="new")
    assert node.counts() == ("cbr0", [0], [])

    node.configure("05-new.conflist", "new", "10.2.0.0/24")
    assert node.counts() == ("new", [1], ["10.2.0.2"])

    node.configure("05-new.conflist", "new", "10.2.0.128/25")
    assert node.counts() == ("new", [0], ["10.2.0.2"])

    (node.configuration / "05-new.conflist").unlink()
    assert node.counts() == ("cbr0", [0], [])


def test_subnet_that_flannel_writes_later(node: Node) -> None:
    """The configuration is there before flannel's daemon has started."""
    text = json.dumps({"name": "cbr0", "plugins": [{"type": "flannel"}]})
    (node.configuration / "10-cbr0.conflist").write_text(text)
    assert node.pool().ranges == ()

    (node.root / "run/flannel").mkdir(parents=True)
    (node.root / "run/flannel/subnet.env").write_text("FLANNEL_SUBNET=10.42.0.1/24\n")
    assert [one.subnets for one in node.pool().ranges] == [("10.42.0.0/24",)]


def test_network_with_its_own_books(node: Node) -> None:
    """Nothing can be said, and nothing is wrong."""
    text = json.dumps({"name": "k8s", "plugins": [{"type": "cilium-cni"}]})
    (node.configuration / "10-cbr0.conflist").write_text(text)

    assert node.read() == ()


def test_directory_that_the_runtime_told(node: Node) -> None:
    """k3s has its own."""
    place = replace(node.place, cni_directory="/var/lib/rancher/k3s/agent/etc/cni/net.d")
    told = node.root / place.cni_directory.lstrip("/")
    told.parent.mkdir(parents=True)
    node.configuration.rename(told)

    assert isinstance(node.source.read(a_snapshot(), node.place), Unavailable)
    assert not isinstance(node.source.read(a_snapshot(), place), Unavailable)


@pytest.mark.parametrize("told", ["/no\0where", "/half\ud800", "/red\x1b[31m"])
def test_directory_that_can_not_exist(node: Node, told: str) -> None:
    """A runtime may tell any text: it is no file, and no text for a terminal."""
    outcome = node.source.read(a_snapshot(), replace(node.place, cni_directory=told))

    assert isinstance(outcome, Unavailable)
    assert outcome.reason == "CniConfigurationUnreadable"
    assert outcome.detail.isprintable()


@pytest.mark.parametrize("data_directory", ["/no\\u0000where", "/half\\ud800"])
def test_reservations_where_nothing_can_be(node: Node, data_directory: str) -> None:
    """Nothing is reserved there."""
    plugin = f'{{"type": "ptp", "ipam": {{"type": "host-local", "dataDir": "{data_directory}"}}}}'
    (node.configuration / "10-cbr0.conflist").write_text(f'{{"name": "cbr0", "plugins": [{plugin}]}}')

    assert node.counts() == ("cbr0", [], [])
    assert node.pool().directory.isprintable()


def test_links_stay_in_the_root_of_the_runtime(node: Node, tmp_path: Path) -> None:
    """An absolute link would lead the agent to its own files."""
    (tmp_path / "outside").mkdir()
    node.networks.mkdir(parents=True)
    (node.networks / "cbr0").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "10.1.0.2").write_text(GONE)

    assert node.counts() == ("cbr0", [0], [])


@pytest.mark.parametrize("damage", ["empty", "none", "text", "pipe"])
def test_without_configuration_nothing_is_judged(node: Node, damage: str) -> None:
    """The check is skipped and says what is missing."""
    file = node.configuration / "10-cbr0.conflist"
    file.unlink()
    match damage:
        case "none":
            node.configuration.rmdir()
        case "text":
            file.write_text("no JSON")
        case "pipe":
            os.mkfifo(file)

    outcome = node.read()

    assert isinstance(outcome, Unavailable)
    assert outcome.reason == "CniConfigurationUnreadable"
    assert "/etc/cni/net.d" in outcome.detail


def test_without_the_runtime_s_list_nothing_is_judged(node: Node) -> None:
    """Every address would look lost."""
    missing = Unavailable(reason="RuntimeHanging", detail="hangs")

    assert node.read(a_snapshot(sandboxes=missing)) is missing
