"""Each fault of the network is really there, judged by the files of host-local and the runtime."""

import ipaddress

from lab import network_faults
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab


def test_leaked_address(lab: RuntimeLab) -> None:
    """The plugin's file outlives the sandbox that it names."""
    file = network_faults.leaked_address(lab, age_seconds=60)
    owner, interface = file.read_text().split()

    assert ipaddress.ip_address(file.name) in ipaddress.ip_network("10.200.0.0/16")
    assert (len(owner), interface) == (64, "eth0")
    assert owner not in {sandbox.id for sandbox in lab.client.sandboxes()}
    file.unlink()


def test_small_network(lab: RuntimeLab) -> None:
    """Pods get their address from it, and afterwards from the lab's usual one again."""
    with network_faults.small_network(lab, "10.202.0.0/29"):
        web = lab.run(Pod("web"))
        assert ipaddress.ip_address(lab.client.sandbox_status(web.sandbox_id).network.ip) in ipaddress.ip_network(
            "10.202.0.0/29"
        )
        lab.remove(web)

    web = lab.run(Pod("web"))
    assert network_faults.reservation(lab, web.sandbox_id).name.startswith("10.200.")
