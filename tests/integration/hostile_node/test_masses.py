"""A thousand lost network namespaces, and thousands of processes a second that come and go while it is scanned."""

import time
from pathlib import Path

import pytest

from integration.support.observer import Observer
from lab import hostile
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.availability import Unavailable
from pausewatch.scan import Look

PINS = 1000
ALL = f"{PINS:,}+ network namespaces"
SOON = {"leaked-network-namespace": {"lasting_seconds": 10.0}}

CHURNING_PODS = 2
CHURN_SCANS = 20
LEAST_PER_SECOND = 1000
"""Started and reaped. An idle machine makes ten times as many."""

LONGEST_SCAN_SECONDS = 30.0
"""On a machine that does other work; a scan takes a tenth of a second."""

pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)


def test_thousand_pinned_network_namespaces(lab: RuntimeLab) -> None:
    """They are one finding, in bounded text and time, and it clears."""
    lab.run(Pod("web"))
    with Observer(lab, thresholds=SOON) as observer:
        assert observer.findings(looks=2) == []
        names = hostile.pin_network_namespaces(lab, PINS)
        try:
            observer.look_until("all of them to be told", lambda one: told(observer, one).startswith(ALL), 120)
            began = time.monotonic()
            found = observer.look()
            assert time.monotonic() - began < LONGEST_SCAN_SECONDS
        finally:
            hostile.unpin_network_namespaces(lab, names)

        (finding,) = observer.about_this_lab(found)
        assert not isinstance(found.snapshot.network_pins, Unavailable)
        assert len(found.snapshot.network_pins) == PINS
        assert (finding.check, finding.subject.is_node) == ("leaked-network-namespace", True)
        assert finding.message.startswith(ALL)
        assert len(finding.message) < 1024
        assert [one.name for one in finding.evidence] == ["pin"] * 3
        assert observer.findings(looks=2) == []


def test_processes_that_come_and_go_by_the_thousand(lab: RuntimeLab) -> None:
    """None of them is a finding, whatever number it had before, and no scan breaks."""
    lab.run(Pod("web", containers=(Container("app"), Container("side")), share_pid=True))
    with Observer(lab) as observer:
        assert observer.findings(looks=2) == []
        for number in range(CHURNING_PODS):
            hostile.run_hostile(lab, f"churn-{number}", "churn")
        began, before = time.monotonic(), forks()
        looks = []
        for _ in range(CHURN_SCANS):
            one_began = time.monotonic()
            looks.append(observer.look())
            assert time.monotonic() - one_began < LONGEST_SCAN_SECONDS
        per_second = (forks() - before) / (time.monotonic() - began)

        assert [one for found in looks for one in observer.about_this_lab(found)] == []
        assert all(not found.report.unavailable for found in looks)
        assert per_second > LEAST_PER_SECOND


def told(observer: Observer, found: Look) -> str:
    """What the one finding of a look says; empty without any."""
    return next((one.message for one in observer.about_this_lab(found)), "")


def forks() -> int:
    """How many processes and threads were started since boot: the line "processes" of /proc/stat, proc_stat(5)."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("processes "))
