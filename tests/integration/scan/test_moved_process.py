"""A first process that moved itself while it ran, as node shells and image builders do, is seen and not condemned."""

import pytest

from integration.support.by_hand import readlink
from integration.support.observer import NODE_CHECKS, Observer
from lab import faults
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Outcome, Severity


def test_privileged_process_that_unshares_is_information(lab: RuntimeLab) -> None:
    """ProcessMovedItself, Info, and the check passes: nobody has to do anything."""
    running = faults.network_unshared(lab)

    with Observer(lab) as observer:
        assert observer.findings() == []
        last = observer.look()
        (finding,) = observer.about_this_lab(last)
        outcomes = observer.outcomes(last)

    assert (finding.reason, finding.severity) == ("ProcessMovedItself", Severity.INFO)
    assert (finding.subject.pod, finding.subject.container) == (running.pod.name, "app")
    values = [one.value for one in finding.evidence]
    assert any(readlink(running.pid(), "network") in value for value in values)
    assert any(readlink(running.pause_pid(), "network") in value for value in values)
    assert outcomes == dict.fromkeys(NODE_CHECKS, Outcome.PASS)


@pytest.mark.parametrize("whose", ["the node", "another pod"])
def test_move_is_seen_by_a_warm_collector(lab: RuntimeLab, whose: str) -> None:
    """What was read of a living process before is not believed: setns is found in the next two looks."""
    other = lab.containerd.pid if whose == "the node" else lab.run(Pod("other", namespace="team-b")).pause_pid()
    running = faults.network_mover(lab, other)

    with Observer(lab) as observer:
        for _ in range(5):
            assert observer.findings() == []
        faults.move_network(running)
        there = readlink(running.pid(), "network")
        assert there == readlink(other, "network")
        (finding,) = observer.findings(looks=2)
        faults.move_network_home(running)
        assert observer.findings(looks=2) == []

    owner = "the node" if whose == "the node" else "pod team-b/other"
    assert (finding.reason, finding.severity) == ("ProcessMovedItself", Severity.INFO)
    assert f"{there}, of {owner}" in [one.value for one in finding.evidence]
