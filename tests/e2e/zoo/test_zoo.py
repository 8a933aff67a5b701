"""The healthy zoo: whatever looks odd and is legal is looked at again and again, and never called a fault."""

import gc
import json
import os
import time
from collections.abc import Iterator

import pytest

from e2e.support.installation import agent_kubeconfig, install
from e2e.zoo import beside, endings, inside, made_by_others, sharing
from e2e.zoo.churn import Churn
from e2e.zoo.kinds import Kind, Zoo, await_running, pod, seen
from e2e.zoo.onlooker import Onlooker
from e2e.zoo.watched_pods import watched_pods
from integration.support.restart import kill_runtime, shim_of, start_runtime_again
from lab.naming import lab_name
from lab.shapes import cluster as clusters
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

#: When a watch of kopf's fails, it leaves the answer's connection to the garbage collector, which complains of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

KINDS = (*sharing.kinds(), *endings.kinds(), *made_by_others.kinds(), *inside.kinds(), *beside.kinds())

CANARY = "canary"
"""A container in a network namespace of its own: has to be found in every scan, or silence proves nothing."""

SANDBOXES = int(os.environ.get("ZOO_SANDBOXES", "200"))
SCANS = int(os.environ.get("ZOO_SCANS", "300"))
ODD_SECONDS = 150.0
PROGRESS_SECONDS = 60.0
PAUSE_SECONDS = 0.5

MAY_SKIP: dict[str, str] = {}
"""Checks that may be skipped, and why."""


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    """A cluster of its own: its runtime is killed and started again, which the next test would notice."""
    with clusters.start(lab_name("zoo")) as started:
        install(started)
        # For a moment after their definition the API server asks to come again; kubectl does.
        started.kubectl("get", "psr")
        restart_containers_at_once(started)
        yield started


def restart_containers_at_once(cluster: Cluster) -> None:
    """Let the kubelet start a container that ended again within a second, where it would wait up to five minutes."""
    cluster.stop_kubelet()
    file = cluster.places.configuration / "kubelet.json"
    settings = json.loads(file.read_text()) | {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}
    file.write_text(json.dumps(settings))
    cluster.start_kubelet()
    cluster.await_node()


def test_there_are_many_kinds() -> None:
    """Each has a name of its own, and none is the beginning of another's pods' names."""
    names = [kind.name for kind in KINDS]

    assert len(set(names)) == len(names) >= 30


@pytest.mark.timeout(3600)
def test_nothing_legal_is_called_a_fault(running_cluster: Cluster) -> None:
    """All kinds at once, while pods come and go and kubelet and runtime are restarted; the canary is always found."""
    cluster = running_cluster
    cluster.falsify(CANARY, "app", {"type": "network", "do": "fresh"})
    cluster.apply(pod(CANARY))
    await_running(cluster, CANARY)
    shim_pid = shim_of(cluster.find_pod(CANARY))
    with (
        watched_pods(cluster.node_name, agent_kubeconfig(cluster)) as pods,
        Onlooker(cluster.runtime, pods, cluster.node_name, CANARY) as onlooker,
    ):
        onlooker.await_canary()
        missing = Missing(cluster, onlooker)
        bring_about(cluster, missing)
        onlooker.tell("everything is brought about")
        missing.wait()
        onlooker.tell(f"all {len(KINDS)} kinds are odd")
        with Churn(cluster) as churn:
            look_on(onlooker, churn, 3 * onlooker.longest_seconds)
            onlooker.tell("pods come and go")
            restart_kubelet(cluster, onlooker)
            onlooker.tell("the kubelet is back")
            look_on(onlooker, churn, 3 * onlooker.longest_seconds)
            look_on_until_enough(onlooker, churn)
        onlooker.tell("seen enough")
        assert_still_odd(cluster)
        skips = dict(onlooker.skips)
        kill_runtime(cluster.runtime)
        onlooker.await_scans(3)
        start_runtime_again(cluster.runtime, shim_pid)
        onlooker.await_scans(50)
        onlooker.check()
    assert not onlooker.false_alarms, onlooker.told()
    assert onlooker.missed == []
    assert {check for check, _ in skips} <= set(MAY_SKIP), skips
    # What a watch leaves to the garbage collector is complained of here, where that is expected.
    del onlooker, pods, missing
    gc.collect()


def bring_about(cluster: Cluster, missing: "Missing") -> None:
    """Apply all manifests at once, and then do what has to be done to each; what is odd for a moment is looked for."""
    cluster.apply(*(manifest for kind in KINDS for manifest in kind.manifests))
    for kind in KINDS:
        if kind.bring_about is not None:
            kind.bring_about(cluster)
        missing.add(kind)
        if kind.passing or kind.bring_about is not None:
            missing.look()


class Missing:
    """The kinds that were brought about and not yet in their odd state and in a Snapshot at the same time."""

    def __init__(self, cluster: Cluster, onlooker: Onlooker) -> None:
        self._cluster = cluster
        self._onlooker = onlooker
        self._kinds: dict[str, Kind] = {}

    def add(self, kind: Kind) -> None:
        """Look for one more from now on."""
        self._kinds[kind.name] = kind

    def look(self) -> bool:
        """Look for them, and return whether all were there by now."""
        snapshot = self._onlooker.await_scans(1)
        zoo = Zoo.now(self._cluster)
        for kind in [*self._kinds.values()]:
            if kind.is_odd(zoo) and seen(kind, snapshot, zoo):
                del self._kinds[kind.name]
        return not self._kinds

    def wait(self) -> None:
        """Look for them until all were there."""
        try:
            wait_until("all kinds to be odd", self.look, ODD_SECONDS)
        finally:
            assert not self._kinds, f"not in their odd state: {sorted(self._kinds)}"


def assert_still_odd(cluster: Cluster) -> None:
    """What lasts is still in its odd state, after all that was done to the node."""
    zoo = Zoo.now(cluster)
    over = [kind.name for kind in KINDS if not kind.passing and not kind.is_odd(zoo)]
    assert not over, [(name, [one["status"].get("containerStatuses") for one in zoo.named(name)]) for name in over]


def restart_kubelet(cluster: Cluster, onlooker: Onlooker) -> None:
    """Kill the kubelet, leave the node without one for some seconds, and start it again."""
    cluster.stop_kubelet()
    onlooker.await_scans(20)
    cluster.start_kubelet()
    cluster.await_node()


def look_on(onlooker: Onlooker, churn: Churn, seconds: float) -> None:
    """Look on for so long; whatever is found ends it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        onlooker.await_scans(1)
        churn.check()


def look_on_until_enough(onlooker: Onlooker, churn: Churn) -> None:
    """Look on until there were enough scans and sandboxes, and tell how far it is now and then."""
    told = time.monotonic()
    while onlooker.scans < SCANS or len(onlooker.sandbox_ids) < SANDBOXES:
        onlooker.await_scans(1)
        churn.check()
        if onlooker.scans >= SCANS:
            # Only sandboxes are missing: those who make them need the machine more.
            onlooker.pause_seconds = PAUSE_SECONDS
        if time.monotonic() > told + PROGRESS_SECONDS:
            told = time.monotonic()
            onlooker.tell(f"on the way to {SCANS} scans of {SANDBOXES} sandboxes")
