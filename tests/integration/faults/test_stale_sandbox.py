"""The remains of an ended sandbox stay on the node."""

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab

CHECK = "stale-sandbox"

#: The default is 600 s.
SOON = {CHECK: {"lasting_seconds": 2}}


def test_replaced_sandbox_that_nobody_removes(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """No kubelet is there to collect it; it has no container, and the newer one works."""
    case = start_case(CHECK, SOON)
    running = lab.run(Pod("again", containers=()))
    lab.client.stop_sandbox(running.sandbox_id)
    second = faults.sandbox_once_more(lab, running)

    finding = case.found()

    assert (finding.reason, str(finding.subject)) == ("StaleSandbox", "lab/again")
    assert finding.subject.sandbox_id == running.sandbox_id
    assert f'"id": "{running.sandbox_id}"' in diagnose(program, CHECK, sandbox=running.sandbox_id)
    is_the_mitigation(all_commands(finding), CHECK, sandbox=running.sandbox_id)
    status, removed = type_on_the_node(program, finding)
    assert '"state": "SANDBOX_NOTREADY"' in status
    assert removed == f"Removed sandbox {running.sandbox_id}\n"
    case.cleared()
    assert [one.id for one in lab.client.sandboxes()] == [second.sandbox_id]
