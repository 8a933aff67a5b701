"""What comes, goes and dies during the looks is never taken for a fault."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from integration.support.observer import Observer
from lab import faults
from lab.pods import Container, Pod, RunningPod
from lab.processes import find_process
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Finding, Severity
from pausewatch.scan import Look

LOOKS = 30
PODS_OF_EACH = 5

#: Between two looks: the shortest time that `pausewatch scan --watch` allows.
PAUSE_SECONDS = 0.1

APP_AND_SIDE = (Container("app"), Container("side"))

CHURNING = (
    Pod("own", containers=APP_AND_SIDE),
    Pod("shared", containers=(*APP_AND_SIDE, Container("debugger", target="app")), share_pid=True),
    Pod("starting", containers=(Container("prepare", command=("true",), init=True), Container("app"))),
    Pod("host", host_network=True, host_pid=True, host_ipc=True),
)


@pytest.mark.parametrize("share_pid", [False, True], ids=["own PID", "shared PID"])
@pytest.mark.parametrize("kill", [faults.kill_pause, faults.kill_shim])
def test_killed_sandbox_accuses_no_container(
    lab: RuntimeLab,
    kill: Callable[[RunningPod], None],
    share_pid: bool,  # noqa: FBT001
) -> None:
    """With its pause, or its shim, the reference of a container is gone: nothing is said of what can not be known."""
    running = lab.run(Pod("headless", containers=APP_AND_SIDE, share_pid=share_pid))
    lab.run(Pod("beside"))
    with Observer(lab) as observer:
        assert observer.findings(looks=2) == []
        kill(running)
        looks = [observer.look()]
        while looks[-1].report.summary.ready_sandboxes > 1:
            looks.append(observer.look())
        looks += [observer.look() for _ in range(5)]
        assert accusations(observer, looks) == []
        lab.remove(running)
        assert observer.findings(looks=2) == []


def test_container_outlives_its_pause_unaccused(lab: RuntimeLab) -> None:
    """A container in a PID namespace of its own runs on without its pause, is listed as running, and is let be."""
    running = lab.run(Pod("headless"))
    process = find_process(running.pid())
    with Observer(lab) as observer:
        faults.kill_pause(running)
        looks = [observer.look() for _ in range(5)]

        assert accusations(observer, looks) == []
    assert find_process(running.pid()) == process


def test_pods_that_come_and_go_are_no_findings(lab: RuntimeLab) -> None:
    """Pods are made, restarted and removed all the while; no look finds anything, and none breaks."""
    lab.run(Pod("steady", containers=APP_AND_SIDE))
    enough = threading.Event()
    with Observer(lab) as observer, ThreadPoolExecutor(len(CHURNING)) as pool:
        churns = [pool.submit(churn, lab, pod, enough) for pod in CHURNING]
        try:
            looks = [observer.look()]
            while wait(churns, PAUSE_SECONDS).not_done:
                looks.append(observer.look())
                if len(looks) >= LOOKS:
                    enough.set()
        finally:
            enough.set()
        made = [one.result() for one in churns]

        assert accusations(observer, looks) == []
    assert len(looks) >= LOOKS
    met = {sandbox for found in looks for sandbox in listed_sandboxes(found)}
    assert len(met) > len(CHURNING) + 1, f"of {sum(made)} pods that came and went the looks met {len(met)}"


def accusations(observer: Observer, looks: list[Look]) -> list[Finding]:
    """The findings of looks, but for the notes that a process has died and the runtime, or a kubelet, is still to act.

    On a machine under load a runtime takes seconds for that, and behind a killed shim always.
    """
    found = [finding for one in looks for finding in observer.about_this_lab(one)]
    notes = ("container-process-gone", "pause-gone")
    return [finding for finding in found if finding.check not in notes or finding.severity is not Severity.INFO]


def churn(lab: RuntimeLab, pod: Pod, enough: threading.Event) -> int:
    """Make a pod, restart its container and remove it, until it is enough; returns how often."""
    made = 0
    while made < PODS_OF_EACH or not enough.is_set():
        running = lab.run(pod)
        running = lab.restart(running, "app")
        lab.remove(running)
        made += 1
    return made


def listed_sandboxes(found: Look) -> set[str]:
    """The ids of the sandboxes that a look saw."""
    assert not isinstance(found.snapshot.sandboxes, Unavailable)
    return {sandbox.id for sandbox in found.snapshot.sandboxes}
