import shlex

from pausewatch.model.pod_network import PodNetwork
from support.parts import WEB_PAUSE_PID, WEB_SANDBOX_ID, identity


def a_network(pid: int | None, path: str = "") -> PodNetwork:
    """Return a network that was read through a process or entered by its file."""
    return PodNetwork(
        sandbox_id=WEB_SANDBOX_ID,
        process=None if pid is None else identity(pid),
        process_owner_id=WEB_SANDBOX_ID,
        path=path,
        addresses=(),
        links_up=(),
        has_loopback=True,
    )


def test_way_inside_through_a_process() -> None:
    """As a person types it."""
    network = a_network(WEB_PAUSE_PID)

    assert (network.seen_through, network.nsenter_options) == (
        f"pid {WEB_PAUSE_PID}",
        f"--target {WEB_PAUSE_PID} --net",
    )


def test_way_inside_by_its_file() -> None:
    """Quoted: the runtime's directory may have any name."""
    network = a_network(None, "/run/net ns/pod")

    assert network.seen_through == "/run/net ns/pod"
    assert shlex.split(network.nsenter_options) == ["--net=/run/net ns/pod"]
