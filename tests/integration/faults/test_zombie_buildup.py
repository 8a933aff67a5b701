"""Dead processes pile up because nobody waits for them; whose they are and who should wait is told."""

import json
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from integration.faults.conftest import StartCase
from integration.support.by_hand import parent_of_zombies
from integration.support.fault_case import type_on_the_node
from integration.support.observer import Observer
from integration.support.program import Program
from integration.support.runbook import diagnose, is_the_mitigation
from lab import faults
from lab.pins import BUSYBOX_IMAGE, CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.processes import zombies_of
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until
from pausewatch.model.report import Finding, RunOn, Severity

ZOMBIES = 16
CHILDREN = ("misbehave", "children", str(ZOMBIES))

#: More than anybody else on the machine has, whose zombies are the node's too: only the worst parents are told.
ZOMBIES_OF_THE_NODE = 300

PROBE_SECONDS = 5
PROBES = 7

#: So that a case need not wait for a minute: the first one does.
A_SECOND = {"zombie-buildup": {"seen_for_seconds": 1}}

#: See a container that was not started through the CRI from their side.
ABOUT_UNLISTED = ("orphaned-shim", "unlisted-pause", "unmanaged-process")


@pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)
def test_pid_1_that_never_waits(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """Info at once, Warning when it has lasted; slow, so on one version of containerd only."""
    case = start_case("zombie-buildup", {"zombie-buildup": {"seen_for_seconds": 10}})
    running = faults.zombies(lab, ZOMBIES)
    parent = parent_of_zombies(running.pid(), ZOMBIES)

    first = case.found()
    lasting = warning(case.observer)

    assert (first.severity, str(first.subject)) == (Severity.INFO, "lab/zombies/app")
    assert (lasting.id, lasting.first_seen_at) == (first.id, first.first_seen_at)
    assert told_parent(lasting) == f"pid {parent} (misbehave), PID 1 of the container: 10+ zombies"
    shows_the_dead(program, lasting, parent)
    assert diagnose(program, "zombie-buildup", parent=parent).count(" Z") == ZOMBIES

    lab.remove(running)
    case.cleared()


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(Pod("unwaited", share_pid=True, containers=(Container(command=CHILDREN),)), id="shared PID"),
        pytest.param(
            Pod("unwaited", host_pid=True, containers=(Container(command=CHILDREN),)),
            id="hostPID",
            marks=pytest.mark.alone_on_the_node,
        ),
    ],
)
def test_parent_that_lives(lab: RuntimeLab, program: Program, start_case: StartCase, pod: Pod) -> None:
    """Where PID 1 is another process, pause or the node's, it reaps orphans only: the parent itself is to blame."""
    case = start_case("zombie-buildup", A_SECOND)
    running = lab.run(pod)
    wait_until("the zombies", lambda: len(zombies_of(running.pid())) == ZOMBIES, 10)
    parent = parent_of_zombies(running.pid(), ZOMBIES)

    case.found()
    finding = warning(case.observer)

    assert (finding.reason, str(finding.subject)) == ("ZombieBuildup", "lab/unwaited/app")
    assert told_parent(finding) == f"pid {parent} (misbehave), the first process of the container: 10+ zombies"
    shows_the_dead(program, finding, parent)

    lab.remove(running)
    case.cleared()


@pytest.mark.alone_on_the_node
@pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)
def test_daemon_of_the_node(lab: RuntimeLab, program: Program, start_case: StartCase) -> None:
    """What no listed pod holds is the node's; the parent's cgroup tells whose it is."""
    case = start_case("zombie-buildup", A_SECOND)
    with unlisted_container(lab) as (parent, cgroup):
        case.found(also=ABOUT_UNLISTED)
        finding = warning(case.observer)

        assert (finding.reason, finding.subject.is_node) == ("ZombieBuildup", True)
        assert told_parent(finding) == f"pid {parent} (misbehave), a process of no listed pod: 300+ zombies"
        dead, whose = type_on_the_node(program, finding)
        assert dead.count(" Z") == ZOMBIES_OF_THE_NODE
        assert cgroup in whose
    case.cleared()


def test_exec_probe_of_a_kubelet(cluster: Cluster) -> None:
    """A probe whose shell leaves a child behind: the beat in the evidence is its period, and a command shows it."""
    manifest = pod_manifest(Pod("probed"))
    left_behind = {"exec": {"command": ["sh", "-c", "sleep 0 &"]}, "periodSeconds": PROBE_SECONDS}
    manifest["spec"]["containers"][0]["readinessProbe"] = left_behind
    thresholds = {"zombie-buildup": {"zombies": PROBES, "seen_for_seconds": 1}}
    with Observer(cluster.runtime, thresholds=thresholds) as observer:
        cluster.apply(manifest)
        cluster.wait_for_pod("probed")

        finding = warning(observer)

        parent = cluster.find_pod("probed").pid()
        assert told_parent(finding).startswith(f"pid {parent} (sleep), PID 1 of the container: ")
        evidence = {one.name: one.value for one in finding.evidence}
        assert evidence["startedEvery"].startswith(f"{PROBE_SECONDS} s, ")
        probes, delete = (one.command for one in finding.next_commands if one.run_on is RunOn.CLUSTER)
        assert json.loads(cluster.kubectl(*shlex.split(probes)[1:])) == left_behind["exec"]["command"]
        is_the_mitigation([delete], "zombie-buildup", namespace="lab", pod="probed")
        type_on_the_cluster(cluster, delete)
        wait_until("the pod to end", lambda: observer.findings() == [], 60)


def type_on_the_cluster(cluster: Cluster, command: str) -> None:
    """Type a command into a shell in which kubectl is an administrator's; it must end with 0."""
    environment = {"PATH": f"{cluster.programs.kubectl.parent}:/usr/bin:/bin", "KUBECONFIG": str(cluster.kubeconfig)}
    # Without a home directory kubectl would keep its cache wherever it is called.
    environment["KUBECACHEDIR"] = str(cluster.runtime.places.run / "kubectl")
    subprocess.run(["sh", "-c", command], env=environment, check=True, timeout=120)


def warning(observer: Observer) -> Finding:
    """Look until there is something to warn of, and return it."""

    def found() -> Finding | None:
        return next((one for one in observer.findings() if one.severity is Severity.WARNING), None)

    return wait_until("a warning", found, 90)


def told_parent(finding: Finding) -> str:
    """What the evidence says about the worst parent."""
    return next(one.value for one in finding.evidence if one.name == "parent")


def shows_the_dead(program: Program, finding: Finding, parent: int) -> None:
    """Type the commands: ps lists each of the dead, inspect names their parent."""
    dead, tree = type_on_the_node(program, finding)
    assert dead.count(" Z") == ZOMBIES
    assert f"{ZOMBIES} zombies, children of pid {parent} misbehave" in tree


@contextmanager
def unlisted_container(lab: RuntimeLab) -> Iterator[tuple[int, str]]:
    """Run a container with zombies past the CRI; yields its pid and cgroup, and removes it."""
    name = f"unlisted-{uuid.uuid4()}"
    cgroup = f"{lab.cgroup.path}/{name}"
    lab.cgroup.create(cgroup)
    runc = ("--runc-binary", str(lab.programs.runc))
    try:
        command = ("misbehave", "children", str(ZOMBIES_OF_THE_NODE))
        lab.ctr("run", "--detach", *runc, "--cgroup", cgroup, BUSYBOX_IMAGE, name, *command)
        tasks = map(str.split, lab.ctr("tasks", "ls").splitlines())
        parent = next(int(columns[1]) for columns in tasks if columns[0] == name)
        wait_until("the zombies", lambda: len(zombies_of(parent)) == ZOMBIES_OF_THE_NODE, 10)
        yield parent, cgroup
    finally:
        faults.remove_unlisted_pause(lab, name)
