"""One pod has more than one ready sandbox."""

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab

CHECK = "duplicate-sandbox"

#: The default is 120 s.
SOON = {CHECK: {"lasting_seconds": 2}}


def test_second_sandbox_of_a_pod(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """As by a kubelet that lost sight of the first one."""
    case = start_case(CHECK, SOON)
    running = lab.run(Pod("twin"))
    second = faults.sandbox_once_more(lab, running)

    finding = case.found()

    assert (finding.reason, str(finding.subject), finding.subject.sandbox_id) == (
        "DuplicateSandbox", "lab/twin", second.sandbox_id,
    )  # fmt: skip
    assert [one.value for one in finding.evidence] == [
        running.uid,
        f"{second.sandbox_id}, attempt 1, running: none",
        f"{running.sandbox_id}, attempt 0, running: app",
    ]
    shown = diagnose(program, CHECK, namespace="lab", pod="twin", older_sandbox=running.sandbox_id)
    assert f'"id": "{running.sandbox_id}"' in shown
    is_the_mitigation(all_commands(finding), CHECK, older_sandbox=running.sandbox_id)
    tree, status, stopped = type_on_the_node(program, finding)
    assert tree.count("\n  sandbox ") == 2
    assert '"state": "SANDBOX_READY"' in status
    assert stopped == f"Stopped sandbox {running.sandbox_id}\n"
    case.cleared()
