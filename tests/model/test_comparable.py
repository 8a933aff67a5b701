"""Whether the host's view of a sandbox's processes says anything about the pod."""

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.comparable import why_not_comparable
from support.parts import a_container, a_sandbox, container_details, sandbox_details


@pytest.mark.parametrize("runtime_type", ["", "io.containerd.runc.v1", "io.containerd.runc.v2"])
@pytest.mark.parametrize("handler", ["", "runc", "crun", "high-priority"])
def test_ordinary_processes_are_comparable(runtime_type: str, handler: str) -> None:
    """runc, crun and youki start ordinary processes, whatever their handler is called."""
    details = sandbox_details(runtime_type=runtime_type, runtime_handler=handler)

    assert not why_not_comparable(a_sandbox(details=details), (a_container(),))


@pytest.mark.parametrize(
    ("details", "why"),
    [
        ({"runtime_type": "io.containerd.runsc.v1"}, "runtime type io.containerd.runsc.v1"),
        ({"runtime_type": "", "runtime_handler": "kata-qemu"}, "runtime handler kata-qemu"),
        ({"runtime_type": "", "runtime_handler": "gVisor"}, "runtime handler gVisor"),
    ],
)
def test_machines_and_user_space_kernels_are_not(details: dict[str, str], why: str) -> None:
    """By the type of the shim, or by the name of the handler where the runtime tells no type."""
    assert why_not_comparable(a_sandbox(details=sandbox_details(**details)), (a_container(),)) == why


def test_one_process_for_sandbox_and_container_is_not() -> None:
    """gVisor and Kata report the machine monitor as the process of everything in the pod."""
    sandbox = a_sandbox(details=sandbox_details(pause_pid=500))
    container = a_container(details=container_details(pid=500))

    assert why_not_comparable(sandbox, (container,)) == "sandbox and container are one process on the node"


def test_sandbox_without_pause_and_container_that_does_not_run_are_no_such_case() -> None:
    """Both report pid 0, which is no process."""
    sandbox = a_sandbox(details=sandbox_details(pause_pid=0))
    container = a_container(details=container_details(pid=0))

    assert not why_not_comparable(sandbox, (container,))


def test_unknown_status_is_not_called_incomparable() -> None:
    """It is missing, which is counted elsewhere."""
    assert not why_not_comparable(a_sandbox(details=Unavailable(reason="StatusUnreadable", detail="gone")), ())
