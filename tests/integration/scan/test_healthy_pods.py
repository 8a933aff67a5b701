"""Nothing is said of healthy pods, and not because nothing was judged."""

import pytest

from integration.support.observer import NODE_CHECKS, Observer
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.history import History
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.report import Outcome
from pausewatch.model.sharing import Sharing
from pausewatch.model.view import NodeView
from pausewatch.scan import Look

APP_AND_SIDE = (Container("app"), Container("side"))

HEALTHY = {
    "own PID namespaces": Pod("own", containers=APP_AND_SIDE),
    "shared PID namespace": Pod("shared", containers=APP_AND_SIDE, share_pid=True),
    "hostNetwork": Pod("host-network", containers=APP_AND_SIDE, host_network=True),
    "hostPID": Pod("host-pid", containers=APP_AND_SIDE, host_pid=True),
    "hostIPC": Pod("host-ipc", containers=APP_AND_SIDE, host_ipc=True),
    "everything of the host": Pod("host-all", host_network=True, host_pid=True, host_ipc=True),
    "hostNetwork with a shared PID namespace": Pod("host-network-shared", host_network=True, share_pid=True),
    # While an init container runs, the kubelet has made no other container of its pod.
    "an init container that still runs": Pod("starting", containers=(Container("prepare"),)),
    "after an init container": Pod(
        "started", containers=(Container("prepare", command=("true",), init=True), *APP_AND_SIDE)
    ),
    "kubectl debug --target": Pod("debugged", containers=(*APP_AND_SIDE, Container("debugger", target="app"))),
    "kubectl debug without a target": Pod("debugged-beside", containers=(Container("app"), Container("debugger"))),
    "a privileged container that stays where it is": Pod(
        "privileged", containers=(Container("app", privileged=True), Container("side"))
    ),
}


@pytest.mark.parametrize("pod", HEALTHY.values(), ids=HEALTHY.keys())
def test_healthy_pod_passes_judged_in_full(lab: RuntimeLab, pod: Pod) -> None:
    """Both checks pass, all five namespaces of every container are judged, and nothing is found."""
    lab.run(pod)
    with Observer(lab) as observer:
        looks = [observer.look() for _ in range(3)]

        for found in looks:
            assert observer.about_this_lab(found) == []
            assert observer.outcomes(found) == dict.fromkeys(NODE_CHECKS, Outcome.PASS)
    expected = {one.name: set(NamespaceKind) for one in pod.containers if not one.init}
    assert as_expected(looks[-1]) == expected


def test_restarted_container_passes(lab: RuntimeLab) -> None:
    """A container that a kubelet starts again under a new id is judged like the one before."""
    running = lab.run(Pod("again", containers=APP_AND_SIDE))
    with Observer(lab) as observer:
        assert observer.findings(looks=2) == []
        lab.restart(running, "app")
        last = [observer.look() for _ in range(3)][-1]

        assert observer.about_this_lab(last) == []
    assert as_expected(last) == {"app": set(NamespaceKind), "side": set(NamespaceKind)}


def test_all_healthy_pods_together_pass(lab: RuntimeLab) -> None:
    """What one pod may do is not held against another: each is judged by what it asked for."""
    pods = [lab.run(pod).pod for pod in HEALTHY.values()]
    with Observer(lab) as observer:
        last = [observer.look() for _ in range(2)][-1]

        assert observer.about_this_lab(last) == []
    assert last.report.summary.ready_sandboxes == len(pods)
    assert len(judged_containers(last)) == sum(not one.init for pod in pods for one in pod.containers)


def as_expected(found: Look) -> dict[str, set[NamespaceKind]]:
    """The kinds of Linux namespaces that were judged and found to be right, by the container's name."""
    node = NodeView(found.snapshot, History())
    sharing = Sharing(node)
    return {
        container.name: {one.kind for one in sharing.of(container) if one.expectation is not None and one.as_expected}
        for container in node.running_containers
    }


def judged_containers(found: Look) -> list[str]:
    """The ids of the running containers that were judged."""
    node = NodeView(found.snapshot, History())
    sharing = Sharing(node)
    return [container.id for container in node.running_containers if sharing.is_judged(container)]
