"""Thousands of zombies, a thousand lost network namespaces, and thousands of processes a second that come and go."""

import time
from pathlib import Path

import pytest

from bench import system_calls
from integration.support.observer import Observer
from lab import faults, hostile
from lab.build.tools import need_tools
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.availability import Unavailable
from pausewatch.scan import Look

ZOMBIES = 5000

PINS = 1000
ALL = f"{PINS:,}+ network namespaces"
SOON = {"leaked-network-namespace": {"lasting_seconds": 10.0}}

CHURNING_PODS = 2
CHURN_SCANS = 20
LEAST_PROCESSES = 20_000
"""Started and reaped while the scans go on: an idle machine makes so many in two seconds."""
LONGEST_CHURN_SECONDS = 120.0

LONGEST_SCAN_SECONDS = 30.0
"""On a machine that does other work; a scan takes a tenth of a second."""

pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)


def test_zombies_cost_one_read_each(lab: RuntimeLab) -> None:
    """Thousands in one container: a look reads each of them once, and nothing else in it grows.

    That is one call, or three for those beyond the files that stay open: to open it, to read, to close.
    """
    need_tools({"strace": "strace"})
    lab.run(Pod("web"))
    without = sum(system_calls.of_a_look(lab.endpoint).values())
    faults.unwaited_children(lab, ZOMBIES)

    each = (sum(system_calls.of_a_look(lab.endpoint).values()) - without) / ZOMBIES

    assert 0.9 < each < 3.1


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
        looks, until, before = [], time.monotonic() + LONGEST_CHURN_SECONDS, forks()
        while len(looks) < CHURN_SCANS or forks() - before < LEAST_PROCESSES:
            began = time.monotonic()
            assert began < until, f"{forks() - before:,} processes in {len(looks)} scans"
            looks.append(observer.look())
            assert time.monotonic() - began < LONGEST_SCAN_SECONDS

        assert [one for found in looks for one in observer.about_this_lab(found)] == []
        assert all(not found.report.unavailable for found in looks)


def told(observer: Observer, found: Look) -> str:
    """What the one finding of a look says; empty without any."""
    return next((one.message for one in observer.about_this_lab(found)), "")


def forks() -> int:
    """How many processes and threads were started since boot: the line "processes" of /proc/stat, proc_stat(5)."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("processes "))
