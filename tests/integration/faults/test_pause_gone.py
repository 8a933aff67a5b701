"""A sandbox lost its pause, and its containers run on."""

from integration.faults.conftest import StartCase
from integration.support.fault_case import all_commands, on_the_node
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults
from lab.pods import Container, Pod
from lab.processes import find_process
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Severity
from pausewatch.scan import Look

CHECK = "pause-gone"

#: The default is 60 s beyond the grace period, which the lab's pods have of one second.
SOON = {CHECK: {"delay_seconds": 3}}


def critical(found: Look) -> bool:
    """Whether a look found something that can not wait."""
    return found.report.count(Severity.CRITICAL) > 0


def test_killed_pause(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Containers in PID namespaces of their own run on; no kubelet is there to replace the sandbox."""
    case = start_case(CHECK, SOON)
    running = lab.run(Pod("headless", containers=(Container("app"), Container("side"))))
    app = find_process(running.pid("app"))
    assert app is not None
    faults.kill_pause(running)

    first = case.found()
    assert (first.severity, str(first.subject)) == (Severity.INFO, "lab/headless")
    case.observer.look_until("the finding to be critical", critical, 15)
    finding = case.found()

    assert (finding.reason, finding.severity, finding.id) == ("PauseGone", Severity.CRITICAL, first.id)
    assert {one.name: one.value for one in finding.evidence}["runningContainers"] == "app, side"
    assert app.is_alive()
    inspect, listed, stop = on_the_node(finding)
    assert "headless" in program.shell(inspect)
    assert " NotReady " in program.shell(listed)
    sandbox = running.sandbox_id
    shown = diagnose(program, CHECK, namespace="lab", pod="headless", sandbox=sandbox)
    assert sandbox[:12] in shown
    assert " NotReady " in shown
    is_the_mitigation(all_commands(finding), CHECK, namespace="lab", pod="headless", sandbox=sandbox)

    program.shell(stop)
    case.cleared()
    assert not app.is_alive()


def test_pause_killed_under_a_stopped_shim(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The runtime calls the sandbox ready; /proc knows better."""
    case = start_case(CHECK, {CHECK: {"delay_seconds": 0}})
    running = lab.run(Pod("headless"))
    pause = running.pause_pid()
    assert case.observer.findings() == []
    with faults.stopped_shim(running):
        faults.kill_unreaped(pause)
        finding = case.observer.look_until("the finding to be critical", critical, 15).report.findings[0]

        assert case.found().id == finding.id
        evidence = {one.name: one.value for one in finding.evidence}
        assert (evidence["sandboxState"], evidence["pause"]) == ("READY", f"{pause}, dead; the runtime does not know")
        assert " Ready " in program.shell(on_the_node(finding)[1])

    program.shell(on_the_node(finding)[2])
    case.cleared()
