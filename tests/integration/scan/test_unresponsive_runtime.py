"""A runtime that hangs or dies costs a look little time, is told as such, and is found again by itself."""

import time

import pytest

from integration.support.observer import NODE_CHECKS, Observer
from integration.support.restart import kill_runtime, shim_of, start_runtime_again
from lab import faults
from lab.pins import RUNTIME_VERSIONS, RuntimeVersion
from lab.pods import Container, Pod
from lab.shapes import runtime
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Outcome
from pausewatch.scan import Look

TIMEOUT_SECONDS = 0.5

#: A look at a runtime that hangs ends after the time limit of one call, whatever it would have asked next; the rest
#: is for a machine that is busy.
LONGEST_LOOK_SECONDS = TIMEOUT_SECONDS + 1.0

SKIPPED = dict.fromkeys(NODE_CHECKS, Outcome.SKIP)


def test_hanging_runtime_keeps_what_was_found(lab: RuntimeLab) -> None:
    """While it hangs the checks are skipped and findings stay; when it goes on, so do the looks, with no trace."""
    running = faults.namespace_path_dropped(lab, lab.run(Pod("torn")), "app", "network")
    faults.zombies(lab, 16)
    with Observer(lab, timeout_seconds=TIMEOUT_SECONDS) as observer:
        before = observer.look_until("both faults", lambda found: len(observer.about_this_lab(found)) == 2, 60)

        with faults.hanging_runtime(lab):
            for _ in range(2):
                hanging = timed_look(observer)
                assert reason(hanging) == "RuntimeHanging"
                assert observer.outcomes(hanging) == SKIPPED
                assert identities(observer, hanging) == identities(observer, before)

        after = observer.look()
        assert observer.outcomes(after) == observer.outcomes(before)
        assert identities(observer, after) == identities(observer, before)
        faults.heal_container(lab, running, "app")
        assert [one.check for one in observer.findings(looks=2)] == ["zombie-buildup"]


def test_first_look_at_a_hanging_runtime(lab: RuntimeLab) -> None:
    """One that never answered is not mistaken for something else; the look after it woke up is complete."""
    lab.run(Pod("patient", containers=(Container("app"), Container("side"))))
    with Observer(lab, timeout_seconds=TIMEOUT_SECONDS) as observer:
        with faults.hanging_runtime(lab):
            hanging = timed_look(observer)
            assert reason(hanging) == "RuntimeHanging"
            assert observer.outcomes(hanging) == SKIPPED
            assert hanging.report.findings == ()

        after = observer.look_until("a complete look", lambda found: not reason(found), 5)
        assert observer.outcomes(after) == dict.fromkeys(NODE_CHECKS, Outcome.PASS)
        assert after.report.summary.containers == 2


@pytest.mark.lab
@pytest.mark.parametrize("version", RUNTIME_VERSIONS.values(), ids=RUNTIME_VERSIONS.keys())
def test_killed_runtime_is_found_again(version: RuntimeVersion) -> None:
    """Without a runtime nothing is judged and nothing forgotten; a new process behind the socket is just read."""
    with runtime.start(version, "scan-restart") as lab:
        running = faults.namespace_path_dropped(lab, lab.run(Pod("torn")), "app", "network")
        shim = shim_of(running)
        with Observer(lab, timeout_seconds=TIMEOUT_SECONDS) as observer:
            before = [observer.look() for _ in range(2)][-1]
            assert len(observer.about_this_lab(before)) == 1

            kill_runtime(lab)
            dead = timed_look(observer)
            assert reason(dead) == "ConnectionRefused"
            assert observer.outcomes(dead) == SKIPPED
            assert identities(observer, dead) == identities(observer, before)

            start_runtime_again(lab, shim)
            after = observer.look()
            assert observer.outcomes(after) == observer.outcomes(before)
            assert identities(observer, after) == identities(observer, before)


def timed_look(observer: Observer) -> Look:
    """Look, and hold the look to its time."""
    began = time.monotonic()
    found = observer.look()
    assert time.monotonic() - began < LONGEST_LOOK_SECONDS
    return found


def reason(found: Look) -> str:
    """Why the sandboxes could not be listed; empty if they were."""
    sandboxes = found.snapshot.sandboxes
    return sandboxes.reason if isinstance(sandboxes, Unavailable) else ""


def identities(observer: Observer, found: Look) -> list[tuple[str, object]]:
    """What of a look's findings must not change while nobody can tell."""
    return [(one.id, one.first_seen_at) for one in observer.about_this_lab(found)]
