"""A shim goes on although there is nothing left to watch over."""

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import strays
from lab.processes import children, find_process
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

CHECK = "orphaned-shim"

#: The default is 300 s.
SOON = {CHECK: {"lasting_seconds": 5}}


def test_task_that_nobody_deleted(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Its process has ended, its shim waits for somebody to ask, and the CRI does not know of it."""
    case = start_case(CHECK, SOON)
    identifier, shim = strays.shim_without_process(lab)

    finding = case.found()

    assert (finding.reason, str(finding.subject)) == ("OrphanedShim", "the node")
    assert f"pid {shim}" in finding.message
    evidence = {one.name: one.value for one in finding.evidence}
    assert evidence == {
        "monitor": f"{shim} containerd-shim",
        "ownerId": identifier,
        "runtimeNamespace": "k8s.io",
    }
    assert children(shim) == []
    socket = lab.places.socket
    assert f"-id {identifier}" in diagnose(program, CHECK, pid=shim, socket=socket)
    is_the_mitigation(all_commands(finding), CHECK, socket=socket, id=identifier)
    process, tasks, _ = type_on_the_node(program, finding)
    assert f"-id {identifier}" in process
    assert [line.split()[-1] for line in tasks.splitlines() if identifier in line] == ["STOPPED"]

    case.cleared()
    wait_until("the shim to end", lambda: find_process(shim) is None, 5)
    lab.ctr("containers", "delete", identifier)
