"""Faults of what a node's CNI network remembers, one verb per fault; see `faults` for the rules."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

#: Seconds for containerd to read a changed CNI configuration; it is told by inotify.
_RELOAD_SECONDS = 10.0


def leaked_address(lab: RuntimeLab, *, age_seconds: float) -> Path:
    """Remove a pod and put the reservation of its address back, as if its network plugin had never been called.

    Args:
        lab: Where.
        age_seconds: How long ago the address is to have been reserved.

    Returns:
        The file of host-local, byte for byte as the plugin wrote it. Healed by removing it.
    """
    running = lab.run(Pod("short-lived", containers=()))
    file = reservation(lab, running.sandbox_id)
    content = file.read_bytes()
    lab.remove(running)
    file.write_bytes(content)
    moment = time.time() - age_seconds
    os.utime(file, (moment, moment))
    return file


def reservation(lab: RuntimeLab, sandbox_id: str, network: str = "lab") -> Path:
    """The file in which host-local keeps the address of a sandbox.

    Raises:
        StopIteration: It has none.
    """
    files = (lab.places.run / "addresses" / network).iterdir()
    return next(file for file in files if file.read_bytes().startswith(sandbox_id.encode()))


@contextmanager
def small_network(lab: RuntimeLab, subnet: str, network: str = "small") -> Iterator[None]:
    """Within this context new pods get their addresses from a network of this size.

    Its configuration comes before the lab's own by name, so the runtime takes it. Remove its pods before leaving.
    """
    usual = lab.places.run / "cni" / "10-lab.conflist"
    configuration = json.loads(usual.read_text())
    configuration["name"] = network
    configuration["plugins"][0]["ipam"]["ranges"] = [[{"subnet": subnet}]]
    file = usual.with_name(f"05-{network}.conflist")
    file.write_text(json.dumps(configuration))
    try:
        _await_network(lab, network)
        yield
    finally:
        file.unlink()
        _await_network(lab, "lab")


def _await_network(lab: RuntimeLab, network: str) -> None:
    def is_used() -> bool:
        running = lab.run(Pod("which-network", containers=()))
        there = (lab.places.run / "addresses" / network).is_dir() and any(
            file.read_bytes().startswith(running.sandbox_id.encode())
            for file in (lab.places.run / "addresses" / network).iterdir()
        )
        lab.remove(running)
        return there

    wait_until(f"containerd to use the network {network}", is_used, _RELOAD_SECONDS)
