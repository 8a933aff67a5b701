"""Dead processes that nobody waits for are found, with whose they are and who should have waited."""

import signal
from dataclasses import replace

import pytest

from integration.support.by_hand import parent_of_zombies
from integration.support.observer import Observer
from lab import faults
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod, RunningPod
from lab.processes import children, find_process, linux_namespace, zombies_of
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until
from pausewatch.model.report import Finding, Severity
from pausewatch.scan import Look

ZOMBIES = 16

#: So that a test need not wait for a minute: the default's own test does. A busy machine looks twice within this time.
A_WHILE = {"zombie-buildup": {"seen_for_seconds": 3}}

own_or_shared_pid = pytest.mark.parametrize("share_pid", [False, True], ids=["own PID", "shared PID"])


def test_pid_1_that_never_waits(lab: RuntimeLab) -> None:
    """Orphans end up with PID 1 of the container: first Info, then Warning, gone with the pod."""
    running = faults.zombies(lab, ZOMBIES)
    parent = parent_of_zombies(running.pid(), ZOMBIES)

    with Observer(lab, thresholds=A_WHILE) as observer:
        assert observer.findings() == [], "what is dead for a moment only is no finding"
        (first,) = observer.findings()
        last = observer.look_until("a warning", lambda found: has_warning(observer, found), 60)
        (lasting,) = observer.about_this_lab(last)
        names(lasting, running, parent, "PID 1 of the container")
        lab.remove(running)
        assert observer.findings(looks=2) == []

    assert first.severity is Severity.INFO
    assert lasting.severity is Severity.WARNING
    assert (lasting.id, lasting.first_seen_at) == (first.id, first.first_seen_at)
    assert f"pid {parent} (misbehave), PID 1 of the container, does not wait" in lasting.message


def test_pause_reaps_what_a_shared_pid_namespace_leaves(lab: RuntimeLab) -> None:
    """The same container in a pod with a shared PID namespace leaves nothing to find."""
    running = faults.zombies(lab, ZOMBIES, share_pid=True)
    assert zombies_of(running.pause_pid()) == zombies_of(running.pid()) == []

    with Observer(lab, thresholds=A_WHILE) as observer:
        assert observer.findings(looks=5) == []


@pytest.mark.parametrize(
    ("pod", "role"),
    [
        pytest.param(Pod("unwaited"), "PID 1 of the container", id="own PID"),
        pytest.param(Pod("unwaited", share_pid=True), "the first process of the container", id="shared PID"),
        pytest.param(
            Pod("unwaited", host_pid=True),
            "the first process of the container",
            id="hostPID",
            marks=pytest.mark.alone_on_the_node,
        ),
    ],
)
def test_first_process_that_forgets_its_own_children(lab: RuntimeLab, pod: Pod, role: str) -> None:
    """Nobody else can reap the children of a living parent, pause neither. It is called PID 1 only where it is."""
    running = forgetful(lab, pod, ("misbehave", "children", str(ZOMBIES)))
    parent = parent_of_zombies(running.pid(), ZOMBIES)

    with Observer(lab) as observer:
        (finding,) = observer.findings(looks=2)

    names(finding, running, parent, role)


@own_or_shared_pid
def test_program_of_the_container_that_forgets_its_children(lab: RuntimeLab, share_pid: bool) -> None:  # noqa: FBT001
    """A living program below the container's first process is named, not the first process."""
    shell = ("sh", "-c", f"misbehave children {ZOMBIES}; sleep 1000000")
    running = forgetful(lab, Pod("unwaited", share_pid=share_pid), shell)
    (program,) = children(running.pid())
    parent = parent_of_zombies(program, ZOMBIES)

    with Observer(lab) as observer:
        (finding,) = observer.findings(looks=2)

    names(finding, running, parent, "a process of the container")


def test_each_container_answers_for_its_own(lab: RuntimeLab) -> None:
    """Zombies of two pods are not added up; those of a container with fewer than the bound are not told."""
    many = faults.unwaited_children(lab, ZOMBIES, name="many")
    faults.unwaited_children(lab, 9, name="few")

    with Observer(lab) as observer:
        found = observer.findings(looks=2)

    assert [(one.subject.pod, one.subject.sandbox_id) for one in found] == [("many", many.sandbox_id)]


def test_recovered_parent_clears(lab: RuntimeLab) -> None:
    """Zombies of a parent that ends are reaped by whoever inherits them; the finding goes after two clean looks."""
    shell = ("sh", "-c", f"misbehave children {ZOMBIES}; sleep 1000000")
    running = forgetful(lab, Pod("unwaited"), shell)
    (program,) = children(running.pid())

    with Observer(lab) as observer:
        (finding,) = observer.findings(looks=2)
        process = find_process(program)
        assert process is not None
        process.send(signal.SIGKILL)
        wait_until("the shell to reap them", lambda: not zombies_of(running.pid()), 10)
        assert [one.id for one in observer.findings()] == [finding.id]
        assert observer.findings() == []


@pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)
def test_default_is_a_minute(lab: RuntimeLab) -> None:
    """Without settings it is Info for 60 s and Warning from then on. Slow, so on one version of containerd only."""
    faults.zombies(lab, ZOMBIES)

    with Observer(lab) as observer:
        before = observer.look()
        last = observer.look_until("a warning", lambda found: has_warning(observer, found), 60)

    lasted = last.snapshot.uptime_seconds - before.snapshot.uptime_seconds
    assert 60 <= lasted < 65


def test_dead_leader_is_no_zombie(lab: RuntimeLab) -> None:
    """A program whose first thread has exited shows Z as well, and lives."""
    lab.run(Pod("beside"))
    running = faults.dead_leaders(lab, ZOMBIES)
    wait_until("the dead leaders", lambda: len(children(running.pid())) == ZOMBIES, 10)
    faults.dead_leader(lab)

    with Observer(lab, thresholds={"zombie-buildup": {"zombies": 1, "seen_for_seconds": 0}}) as observer:
        assert observer.findings(looks=5) == []


def forgetful(lab: RuntimeLab, pod: Pod, command: tuple[str, ...]) -> RunningPod:
    """Run a pod of one container that has started all its children."""
    running = lab.run(replace(pod, containers=(Container(command=command),)))
    wait_until(f"{pod.name} to be ready", lambda: "ready" in running.log(), 10)
    wait_until("its children to die", lambda: len(dead_below(running.pid())) == ZOMBIES, 10)
    return running


def dead_below(pid: int) -> list[int]:
    """The zombies of a process and of its children."""
    return [zombie for parent in (pid, *children(pid)) for zombie in zombies_of(parent)]


def has_warning(observer: Observer, found: Look) -> bool:
    """Whether a look found something to warn of."""
    return any(one.severity is Severity.WARNING for one in observer.about_this_lab(found))


def names(finding: Finding, running: RunningPod, parent: int, role: str) -> None:
    """Hold a finding to the container and to the parent, as /proc shows it."""
    subject = finding.subject
    assert finding.reason == "ZombieBuildup"
    assert (subject.pod, subject.container, subject.sandbox_id) == (running.pod.name, "app", running.sandbox_id)
    evidence = {one.name: one.value for one in finding.evidence}
    assert evidence["parent"] == f"pid {parent} (misbehave), {role}: 10+ zombies"
    assert evidence["pidNamespace"] == linux_namespace(parent, "pid")
