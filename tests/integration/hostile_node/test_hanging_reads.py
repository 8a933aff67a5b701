"""Something on the node does not answer: the rest of it is judged, the report says what is not, and nobody waits long.

Which files of a process make their reader wait for its memory is the kernel's business, and tested first.
"""

import subprocess
import time

import pytest

from integration.support.observer import Observer
from lab import faults, hostile
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.availability import READ_HANGS, Unavailable
from pausewatch.model.report import Outcome
from pausewatch.model.snapshot import DETAIL_SECTIONS
from pausewatch.scan import Look
from pausewatch.sinks.conditions import Status, healthy, scan_complete

PATIENCE_SECONDS = 3.0

#: Of a scan in which nothing is waited for, on a machine that does other work.
LONGEST_SCAN_SECONDS = 20.0

SHIM = "containerd-shim"

#: Of zombies: too few to be told; twice as many are told.
FEW = 8

#: What can not be judged without monitors and reserved addresses.
SKIPPED = {"orphaned-shim", "unlisted-pause", "unmanaged-process", "leaked-pod-address"}

#: Read of every process, of many, or of the first processes of containers.
READ_BY_US = ("stat", "schedstat", "cgroup", "status", "mountinfo", "net/fib_trie", "ns/net", "ns/mnt", "exe")
LINKS = ("ns/net", "ns/mnt", "exe")

pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)


def test_pod_s_process_that_nobody_can_look_at_keeps_nobody_waiting(lab: RuntimeLab) -> None:
    """Its arguments are read by ps, and not by us, though it calls itself a shim; what is read of it answers."""
    lab.run(Pod("web", containers=(Container("app"), Container("side"))))
    with (
        hostile.locked_memory(lab, SHIM, on_the_node=False) as pid,
        Observer(lab, patience_seconds=PATIENCE_SECONDS) as observer,
    ):
        for file in READ_BY_US:
            program = "readlink" if file in LINKS else "cat"
            subprocess.run([program, f"/proc/{pid}/{file}"], check=True, timeout=10, stdout=subprocess.DEVNULL)

        looks = [timed_look(observer) for _ in range(3)]

        assert [hanging(one) for one in looks] == [set()] * 3
        assert all(scan_complete(one.report).status is Status.TRUE for one in looks)
        assert observer.about_this_lab(looks[-1]) == []


def test_what_hangs_on_the_node_is_told_and_the_rest_is_judged(lab: RuntimeLab) -> None:
    """A shim that nobody can look at, and a dead disk below the network plugin: two sections are missing until then.

    A fault that has nothing to do with them is found meanwhile; both are read again when they answer.
    """
    forgetful = faults.unwaited_children(lab, FEW)
    reservations = lab.places.run / "addresses" / "lab"
    with Observer(lab, patience_seconds=PATIENCE_SECONDS) as observer:
        before = [observer.look() for _ in range(2)][-1]
        assert hanging(before) == set()

        with hostile.locked_memory(lab, SHIM, on_the_node=True), hostile.silent_directory(lab, reservations):
            first = timed_look(observer, 2 * PATIENCE_SECONDS)
            assert hanging(first) == {"monitors", "address_pools"}
            assert observer.about_this_lab(first) == []
            faults.more_zombies(forgetful, 2 * FEW)
            later = [timed_look(observer) for _ in range(3)]

            assert all(hanging(one) == {"monitors", "address_pools"} for one in later)
            assert [str(one.subject) for one in observer.about_this_lab(later[-1])] == ["lab/unwaited/app"]
            tells_what_is_missing(later[-1])

        after = observer.look_until("everything to be read again", lambda one: not hanging(one), 60)
        assert scan_complete(after.report).status is Status.TRUE
        assert [one.check for one in observer.about_this_lab(after)] == ["zombie-buildup"]


def tells_what_is_missing(found: Look) -> None:
    """Hold the report to say so: in its coverage, and in the conditions that people look at."""
    skipped = {one.check for one in found.report.results if (one.outcome, one.reason) == (Outcome.SKIP, READ_HANGS)}
    assert skipped == SKIPPED
    complete = scan_complete(found.report)
    assert (complete.status, complete.reason) == (Status.FALSE, READ_HANGS)
    assert complete.message.startswith("shims, reserved addresses: a file of the node does not answer")
    assert healthy(found.report).status is not Status.TRUE


def timed_look(observer: Observer, waited_seconds: float = 0) -> Look:
    """Look, and hold the look to its time."""
    began = time.monotonic()
    found = observer.look()
    assert time.monotonic() - began < waited_seconds + LONGEST_SCAN_SECONDS
    return found


def hanging(found: Look) -> set[str]:
    """The sections of a look that did not answer."""
    sections = {name: getattr(found.snapshot, name) for name in DETAIL_SECTIONS}
    return {name for name, one in sections.items() if isinstance(one, Unavailable) and one.reason == READ_HANGS}
