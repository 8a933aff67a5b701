"""How much a look asks of the runtime: two lists, and nothing that it told before."""

from collections import Counter

from integration.support.observer import Observer
from lab import faults
from lab.pods import Container, Pod, RunningPod
from lab.shapes.runtime import RuntimeLab

LISTS = {"ListPodSandbox": 1, "ListContainers": 1}


def test_quiet_node_is_asked_for_two_lists_per_look(lab: RuntimeLab) -> None:
    """A status is asked for once per id and state: not at all while nothing changes, exited containers included."""
    ended = Container("prepare", command=("true",), init=True)
    lab.run(Pod("web", containers=(ended, Container("app"), Container("side"))))
    lab.run(Pod("shared", share_pid=True))
    faults.kill_pause(lab.run(Pod("headless", share_pid=True)))

    with Observer(lab) as observer:
        first = calls_of(observer)
        later = [calls_of(observer) for _ in range(10)]

    assert first["PodSandboxStatus"] == 3
    assert later == [LISTS] * 10


def test_new_and_restarted_containers_cost_one_status_each(lab: RuntimeLab) -> None:
    """What came since the last look is asked for, and nothing else is asked again."""
    running = lab.run(Pod("web", containers=(Container("app"), Container("side"))))
    with Observer(lab) as observer:
        observer.look()
        lab.run(Pod("new"))
        assert calls_of(observer) == LISTS | {"PodSandboxStatus": 1, "ContainerStatus": 1}
        lab.restart(running, "app")
        assert calls_of(observer) == LISTS | {"ContainerStatus": 1}
        assert calls_of(observer) == LISTS


def test_suspicion_costs_one_filtered_list_for_each_id_it_rests_on(lab: RuntimeLab) -> None:
    """A container in a wrong namespace is asked for once more, and so is its sandbox; another pod is, if it is its."""
    torn = torn_pod(lab)
    other = lab.run(Pod("other"))
    with Observer(lab) as observer:
        observer.look()
        assert calls_of(observer) == {"ListPodSandbox": 1 + 1, "ListContainers": 1 + 1}
        faults.namespace_of_other_pod(lab, torn, "app", "network", other)
        observer.look()
        assert calls_of(observer) == {"ListPodSandbox": 1 + 2, "ListContainers": 1 + 1}


def torn_pod(lab: RuntimeLab) -> RunningPod:
    """Make a pod whose container is in a network namespace of its own."""
    return faults.namespace_path_dropped(lab, lab.run(Pod("torn")), "app", "network")


def calls_of(observer: Observer) -> dict[str, int]:
    """Look once more, and return what the runtime was asked for it, by method of the CRI."""
    before = Counter(observer.calls)
    observer.look()
    return dict(Counter(observer.calls) - before)
