"""Each fault inside a pod's network is really there, and its healing really heals, judged by ``ip``."""

from lab import pod_network_faults as faults
from lab.pods import Pod, RunningPod
from lab.shapes.runtime import RuntimeLab


def _shown(lab: RuntimeLab, running: RunningPod, *what: str) -> str:
    return faults.in_network(lab, running, "ip", *what)


def test_address(lab: RuntimeLab) -> None:
    """It goes and comes back; the pod's record keeps it."""
    running = lab.run(Pod("web"))
    address = running.address()
    faults.lose_address(lab, running)
    without = _shown(lab, running, "address")
    faults.give_address(lab, running, address)

    assert f"inet {address}/" not in without
    assert f"inet {address}/16" in _shown(lab, running, "address")
    assert running.address() == address
    faults.take_address(lab, running, address)
    assert f"inet {address}/" not in _shown(lab, running, "address")


def test_links(lab: RuntimeLab) -> None:
    """A link that is down keeps its address."""
    running = lab.run(Pod("web"))
    for link in ("eth0", "lo"):
        faults.set_link(lab, running, "down", link)
        down = _shown(lab, running, "address", "show", "dev", link)
        faults.set_link(lab, running, "up", link)

        assert "state DOWN" in down
        assert "inet " in down
        assert "UP" in _shown(lab, running, "link", "show", "dev", link)
    faults.delete_link(lab, running)
    assert "eth0" not in _shown(lab, running, "link")


def test_address_given_twice(lab: RuntimeLab) -> None:
    """Both pods have it, by the runtime and inside; once the second is gone there is one."""
    first = lab.run(Pod("first"))
    second = faults.give_address_twice(lab, first, Pod("second"))

    assert first.address() == second.address() != ""
    for running in (first, second):
        assert f"inet {first.address()}/16" in _shown(lab, running, "address")
    lab.remove(second)
    assert [one.id for one in lab.client.sandboxes()] == [first.sandbox_id]
