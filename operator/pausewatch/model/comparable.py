"""Whether the host's view of a sandbox's processes says anything about the pod.

A virtual machine (Kata) or a user-space kernel (gVisor) is one process, or a few, on the host: their Linux namespaces
are those of the machine monitor, and guest processes are invisible. Comparing them would report every such pod.
"""

import re

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Container, Sandbox

COMPARABLE_RUNTIME_TYPES = frozenset({"io.containerd.runc.v1", "io.containerd.runc.v2"})
"""containerd shims that start ordinary processes; runc, crun and youki all run below them."""

OTHER_HANDLER = re.compile(r"kata|runsc|gvisor|wasm|runhcs|firecracker", re.IGNORECASE)
"""Names that people give to the handlers of such runtimes; the only sign where the runtime tells no type (CRI-O)."""


def why_not_comparable(sandbox: Sandbox, containers: tuple[Container, ...]) -> str:
    """Return why the sandbox's processes are not the pod's own, in words; empty if they are."""
    details = sandbox.details
    if isinstance(details, Unavailable):
        return ""
    if details.runtime_type and details.runtime_type not in COMPARABLE_RUNTIME_TYPES:
        return f"runtime type {details.runtime_type}"
    if OTHER_HANDLER.search(details.runtime_handler):
        return f"runtime handler {details.runtime_handler}"
    if details.pause_pid and any(
        not isinstance(container.details, Unavailable) and container.details.pid == details.pause_pid
        for container in containers
    ):
        return "sandbox and container are one process on the node"
    return ""
