"""A container is called running, and its process is dead."""

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults
from lab.pods import Container, Pod
from lab.processes import find_process
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Severity

CHECK = "container-process-gone"

#: The default is 30 s.
SOON = {CHECK: {"seen_for_seconds": 3}}


def test_killed_under_a_stopped_shim(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The shim reaps nobody and tells nobody: the runtime believes in the container until it goes on."""
    case = start_case(CHECK, SOON)
    running = lab.run(Pod("hollow", containers=(Container("app"), Container("side"))))
    app = running.pid("app")
    assert case.observer.findings() == []
    with faults.stopped_shim(running) as shim:
        faults.kill_unreaped(app)

        first = case.found()
        assert (first.severity, str(first.subject)) == (Severity.INFO, "lab/hollow/app")
        case.observer.look_until(
            "the finding to be critical", lambda seen: seen.report.count(Severity.CRITICAL) > 0, 15
        )
        finding = case.found()

        assert (finding.reason, finding.severity, finding.id) == ("ContainerProcessGone", Severity.CRITICAL, first.id)
        assert f"pid {app}," in finding.message
        evidence = {one.name: one.value for one in finding.evidence}
        assert evidence["process"] == f"{app}, a zombie that its parent has not reaped"
        assert evidence["shim"] == f"{shim.pid} (containerd-shim), stopped by a signal or a debugger"
        tree, status, shim_state = type_on_the_node(program, finding)
        assert "hollow" in tree
        assert '"state": "CONTAINER_RUNNING"' in status
        assert f'"pid": {app}' in status
        number, state = shim_state.split()[4:6]
        assert (number, state[0]) == (str(shim.pid), "T")

        shown = diagnose(
            program, CHECK, namespace="lab", pod="hollow", container=running.container_ids["app"], shim=shim.pid
        )
        assert f'"pid": {app}' in shown
        is_the_mitigation(all_commands(finding), CHECK, namespace="lab", pod="hollow")

        program.shell(f"kill -CONT {shim.pid}")
        case.cleared()
    assert find_process(app) is None
