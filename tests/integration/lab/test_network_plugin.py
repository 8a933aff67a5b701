"""A network plugin that fails on purpose, in one lab and for as long as it is told to."""

import pytest

from lab import network_plugin
from lab.cri.client import CallError
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab


def test_sandbox_can_not_be_made(lab: RuntimeLab) -> None:
    """One without a network of its own can, and any can afterwards."""
    with network_plugin.failing(lab, "ADD"):
        with pytest.raises(CallError, match=network_plugin.COMPLAINT):
            lab.run(Pod("web"))
        lab.run(Pod("on-the-node", host_network=True))
    lab.run(Pod("web-again"))


def test_sandbox_can_not_be_taken_down(lab: RuntimeLab) -> None:
    """Its pause is gone, its network namespace is not; afterwards stopping it works."""
    web = lab.run(Pod("web"))
    with network_plugin.failing(lab, "DEL"):
        with pytest.raises(CallError, match=network_plugin.COMPLAINT):
            lab.client.stop_sandbox(web.sandbox_id)
        assert lab.client.sandbox_status(web.sandbox_id).state == 1  # SANDBOX_NOTREADY
        assert lab.enter("ip", "netns", "list").strip()
    lab.remove(web)
    assert not lab.enter("ip", "netns", "list").strip()
