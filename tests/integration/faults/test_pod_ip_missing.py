"""A pod's network namespace lacks the address under which Kubernetes knows the pod, or its link is down."""

import pytest

from integration.faults.conftest import StartCase
from integration.support.by_hand import pid_by_ctr
from integration.support.fault_case import all_commands, type_on_the_node
from integration.support.observer import Observer
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import network_plugin
from lab import pod_network_faults as faults
from lab.cri.client import CallError
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until
from pausewatch.model.report import Evidence


def test_address_deleted(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Something on the node took the address; the runtime goes on reporting it."""
    case = start_case("pod-ip-missing")
    web = lab.run(Pod("web"))
    address = web.address()
    faults.lose_address(lab, web)

    finding = case.found()

    assert (finding.reason, finding.severity, str(finding.subject)) == ("PodIPMissing", "Critical", "lab/web")
    assert Evidence(name="reportedAddresses", value=address) in finding.evidence
    assert Evidence(name="seenThrough", value=f"pid {pid_by_ctr(lab, web.sandbox_id)}") in finding.evidence
    inside, tree = type_on_the_node(program, finding)
    assert "eth0" in inside
    assert f"inet {address}/" not in inside
    assert f"{address} is not inside" in tree
    shown = diagnose(program, "pod-ip-missing", process=pid_by_ctr(lab, web.sandbox_id))
    assert "eth0" in shown
    assert f"inet {address}/" not in shown
    is_the_mitigation(all_commands(finding), "pod-ip-missing", namespace="lab", pod="web")
    assert "CRITICAL  PodIPMissing  lab/web" in program.run("scan", "--fail-on", "critical", expect=10)

    faults.give_address(lab, web, address)
    case.cleared()


def test_link_down(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """The kernel still shows the address, and nothing reaches it."""
    case = start_case("pod-ip-missing")
    web = lab.run(Pod("web"))
    faults.set_link(lab, web, "down")

    finding = case.found()

    assert (finding.severity, str(finding.subject)) == ("Critical", "lab/web")
    assert web.address() in finding.message
    inside, tree = type_on_the_node(program, finding)
    assert "state DOWN" in inside
    assert f"inet {web.address()}/" in inside
    assert "no interface is up" in tree

    faults.set_link(lab, web, "up")
    case.cleared()


def test_interface_deleted(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """A clean-up took the pod for gone. A pod with a shared PID namespace is no other case."""
    case = start_case("pod-ip-missing")
    web = lab.run(Pod("web", share_pid=True))
    faults.delete_link(lab, web)

    finding = case.found()

    assert (finding.severity, str(finding.subject)) == ("Critical", "lab/web")
    inside, _ = type_on_the_node(program, finding)
    assert "eth0" not in inside

    lab.remove(web)
    case.cleared()


def test_pod_that_may_do_it_itself(lab: RuntimeLab, start_case: StartCase) -> None:
    """A pod with CAP_NET_ADMIN is told as Info, also once the container that has it exited."""
    case = start_case("pod-ip-missing")
    able = Container("vpn", capabilities=("NET_ADMIN",))
    web = lab.run(Pod("web", containers=(Container("app"), able)))
    assert case.observer.reported() == []
    faults.lose_address(lab, web)

    finding = case.found()
    vpn = web.container_ids["vpn"]
    lab.ctr("tasks", "kill", "--signal", "SIGKILL", vpn)
    wait_until("the container to have exited", lambda: lab.client.container_status(vpn).finished_at, 10)
    later = [case.observer.reported() for _ in range(3)]

    assert (finding.severity, str(finding.subject)) == ("Info", "lab/web")
    assert later == [[]] * 3

    lab.remove(web)
    case.cleared()


def test_teardown_that_fails(lab: RuntimeLab) -> None:
    """No fault of these checks: the plugin does not take the sandbox down, but nobody is inside any more."""
    web = lab.run(Pod("web"))
    with Observer(lab) as observer, network_plugin.failing(lab, "DEL"):
        assert observer.reported() == []
        with pytest.raises(CallError):
            lab.client.stop_sandbox(web.sandbox_id)
        seen = [observer.findings() for _ in range(5)]

    assert {one.check for found in seen for one in found}.isdisjoint(
        {"pod-ip-missing", "loopback-down", "duplicate-pod-ip"}
    )
