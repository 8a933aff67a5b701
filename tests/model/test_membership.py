"""In which cgroup processes are, and who watches over containers."""

import pytest

from pausewatch.model.membership import MonitorKind
from support.parts import WEB_SANDBOX_ID, WEB_SHIM_PID, a_monitor


@pytest.mark.parametrize(
    ("kind", "namespace", "is_ours", "serves"),
    [
        (MonitorKind.SHIM, "k8s.io", True, True),
        (MonitorKind.SHIM, "moby", True, False),
        (MonitorKind.SHIM, "", True, False),
        (MonitorKind.SHIM, "k8s.io", False, False),
        (MonitorKind.CONMON, "", True, True),
        (MonitorKind.CONMON, "", False, False),
    ],
)
def test_monitor_that_serves_the_cri(kind: MonitorKind, namespace: str, *, is_ours: bool, serves: bool) -> None:
    """containerd keeps what the CRI made in a namespace of its own; CRI-O makes nothing else."""
    monitor = a_monitor(WEB_SHIM_PID, WEB_SANDBOX_ID, kind=kind, runtime_namespace=namespace, is_ours=is_ours)

    assert monitor.serves_the_cri is serves
