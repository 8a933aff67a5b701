"""Zombies have used up most of a limit on processes."""

import json
import subprocess
from pathlib import Path

import pytest

from integration.faults.conftest import StartCase
from integration.support.fault_case import type_on_the_node
from integration.support.observer import Observer
from integration.support.program import Program
from integration.support.runbook import diagnose
from lab.cgroups import hierarchies
from lab.pods import Container, Pod, RunningPod
from lab.processes import zombies_of
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

LIMIT = 100
ZOMBIES = 85


def test_pod_that_is_near_its_limit_and_then_at_it(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """85 zombies, pause and PID 1 under a limit of 100; then nothing is left, and a fork fails."""
    case = start_case("pid-limit-near")
    misbehaving = Container(command=("misbehave", "children", str(ZOMBIES)))
    running = lab.run(Pod("full", pids_limit=LIMIT, containers=(misbehaving,)))
    await_zombies(running, ZOMBIES)
    tasks = pids_current(lab, running)

    near = case.found(also=["zombie-buildup"])

    assert (near.reason, str(near.subject)) == ("PidLimitNear", "lab/full/app")
    evidence = {one.name: one.value for one in near.evidence}
    assert evidence["cgroup"] == str(pids_directory(lab, running))
    assert (evidence["limit"], evidence["tasks"], evidence["zombies"]) == (f"pids.max {LIMIT}", "80+", "80+")
    assert evidence["parent"].startswith(f"pid {running.pid()} (misbehave), PID 1 of the container: 80+")
    assert f"uses 80 % or more of the {LIMIT} tasks that pids.max allows" in near.message
    numbers, dead, tree = type_on_the_node(program, near)
    assert numbers.split() == [f"pids.current:{tasks}", f"pids.max:{LIMIT}"]
    assert dead.count(" Z") == len(zombies_of(running.pid())) == ZOMBIES
    assert f"{ZOMBIES} zombies, children of pid {running.pid()} misbehave" in tree

    cgroup = pids_directory(lab, running)
    shown = diagnose(program, "pid-limit-near", cgroup=cgroup, parent=running.pid(), namespace="lab", pod="full")
    assert f"pids.max:{LIMIT}" in shown
    assert f"{ZOMBIES} zombies, children of pid {running.pid()} misbehave" in shown

    lab.cgroup.limit_pids(lab.cgroup.pod(running.uid), tasks)
    assert "fork" in fork_inside(lab, running).lower()
    reached = case.found(also=["zombie-buildup"])

    assert reached.id == near.id
    assert f"lab/full/app can start no process: all {tasks} tasks that pids.max allows are used" in reached.message

    lab.remove(running)
    case.cleared()


def test_limit_that_two_containers_fill_is_about_their_pod(lab: RuntimeLab, start_case: StartCase) -> None:
    """Neither of them alone is near it."""
    case = start_case("pid-limit-near")
    half = ("misbehave", "children", str(ZOMBIES // 2))
    pod = Pod("full", pids_limit=LIMIT, containers=(Container("app", half), Container("side", half)))
    running = lab.run(pod)
    for name in pod_names(pod):
        await_zombies(running, ZOMBIES // 2, name)

    finding = case.found(also=["zombie-buildup"])

    assert str(finding.subject) == "lab/full"
    assert {one.value.split()[1] for one in finding.evidence if one.name == "parent"} == {
        str(running.pid(name)) for name in pod_names(pod)
    }

    lab.remove(running)
    case.cleared()


@pytest.mark.parametrize(
    ("limit", "zombies", "living"),
    [(115, ZOMBIES, 0), (None, ZOMBIES, 0), (60, 12, 40)],
    ids=["not near", "no limit", "filled by the living"],
)
def test_silence(lab: RuntimeLab, limit: int | None, zombies: int, living: int) -> None:
    """Zombies far from any limit, and a limit that is full of living processes, are nothing to report here."""
    start = f"for one in $(seq {living}); do sleep 1000000 & done; exec misbehave children {zombies}"
    running = lab.run(Pod("busy", pids_limit=limit, containers=(Container(command=("sh", "-c", start)),)))
    await_zombies(running, zombies)

    with Observer(lab) as observer:
        found = [one.check for one in observer.findings(looks=3)]

    assert found == ["zombie-buildup"]


def test_seen_from_inside_a_cgroup_namespace(lab: RuntimeLab, program: Program) -> None:
    """As the agent's container has it on cgroup version 2: there paths of cgroups are relative to its own."""
    misbehaving = Container(command=("misbehave", "children", str(ZOMBIES)))
    running = lab.run(Pod("full", pids_limit=LIMIT, containers=(misbehaving,)))
    await_zombies(running, ZOMBIES)
    agent = f"{lab.cgroup.path}/kubepods/burstable/pod-of-the-agent/agent"
    lab.cgroup.create(agent)
    (hierarchy,) = [one for one in hierarchies() if (one.directory(agent) / "pids.max").exists()]
    kind = "-t cgroup2" if hierarchy.unified else "-t cgroup -o pids"
    mount = f"umount {hierarchy.mount_point} && mount {kind} none {hierarchy.mount_point}"
    scan = f"cat /proc/self/cgroup && {mount} && pausewatch scan -o json"

    printed = program.shell(
        f"echo $$ > {hierarchy.directory(agent)}/cgroup.procs && unshare --cgroup --mount sh -c '{scan}'"
    )

    cgroups, _, report = printed.partition("{")
    assert agent not in cgroups, "it is not in a cgroup namespace of its own"
    (finding,) = [one for one in json.loads("{" + report)["status"]["findings"] if one["check"] == "pid-limit-near"]
    evidence = {one["name"]: one["value"] for one in finding["evidence"]}
    assert evidence["cgroup"] == str(pids_directory(lab, running))


def await_zombies(running: RunningPod, count: int, container: str = "app") -> None:
    """Wait until a container's first process has so many dead children."""
    wait_until("the zombies", lambda: len(zombies_of(running.pid(container))) == count, 10)


def pod_names(pod: Pod) -> list[str]:
    """The names of its containers."""
    return [container.name for container in pod.containers]


def pids_directory(lab: RuntimeLab, running: RunningPod) -> Path:
    """Where the pod's pids.max is."""
    path = lab.cgroup.pod(running.uid)
    (found,) = [one.directory(path) for one in hierarchies() if (one.directory(path) / "pids.max").exists()]
    return found


def pids_current(lab: RuntimeLab, running: RunningPod) -> int:
    """How many tasks the kernel counts in the pod."""
    return int((pids_directory(lab, running) / "pids.current").read_text())


def fork_inside(lab: RuntimeLab, running: RunningPod) -> str:
    """What a shell in the pod's cgroup says when it is to start a program; it has to fail."""
    # The last command would replace the shell instead of being forked.
    script = f"echo $$ > {pids_directory(lab, running)}/cgroup.procs && ls / && exit 0"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode, done.stdout
    return done.stderr
