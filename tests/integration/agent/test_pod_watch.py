"""kopf and a real API server: what the scan learns of the pods of its node."""

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest
from lab.waiting import wait_until
from pausewatch.agent.pod_watch import PodWatch
from pausewatch.agent.pods import ApiPods
from pausewatch.agent.threads import ask_loop
from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.pods import get_pod, list_pods
from pausewatch.cluster.waiting_pods import ask_why_waiting
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod as KnownPod

CRD = "podsandboxreports.pausewatch.github.io"
SECONDS = 20.0

#: When a watch of kopf's fails, it leaves the answer's connection to the garbage collector, which complains of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def watching(cluster: Cluster, kubeconfig: Path, act: Callable[[PodWatch, ApiPods], None]) -> None:
    """Run ``act`` in a thread, as the scan is, while the pods of the node are watched."""

    async def run() -> None:
        place = ConnectionPlace(kubeconfig=kubeconfig)
        watch = PodWatch(cluster.node_name, place, report_seen=lambda _: None, gap_seen=lambda: None)
        client = ApiClient(place)
        loop = asyncio.get_running_loop()
        pods = ApiPods(
            watch,
            lambda: ask_loop(loop, list_pods(client, cluster.node_name), SECONDS),
            lambda namespace, name: ask_loop(loop, get_pod(client, namespace, name), SECONDS),
            WaitingPods(lambda pod: ask_loop(loop, ask_why_waiting(client, pod), SECONDS), period_seconds=1),
        )
        task = asyncio.create_task(watch.run())
        try:
            await _within(SECONDS, watch.was_complete.wait())
            await asyncio.to_thread(act, watch, pods)
        finally:
            task.cancel()
            watch.stop()
            await asyncio.wait([task])
            await client.close()

    asyncio.run(run())
    gc.collect()  # now, where the complaint is expected, and not in whatever test comes later


def known(pods: ApiPods) -> dict[str, KnownPod]:
    """Return the pods that the scan would see, by name."""
    found = pods.read()
    assert not isinstance(found, Unavailable), found
    return {pod.name: pod for pod in found}


def test_pods_are_known_by_the_uid_of_their_sandboxes(cluster: Cluster, agent_kubeconfig: Path) -> None:
    """Also that of a static pod, whose mirror in the API has another uid."""
    cluster.run(Pod("web"))
    manifest = pod_manifest(Pod("static"))
    (cluster.places.static_pods / "static.json").write_text(json.dumps(manifest))
    mirror = f"static-{cluster.node_name}"
    wait_until("the mirror pod", lambda: mirror in cluster.kubectl("get", "pods", "--namespace=lab"), SECONDS)
    wait_until("its sandbox", lambda: mirror in sandbox_uids(cluster), SECONDS)

    def act(_: PodWatch, pods: ApiPods) -> None:
        wait_until("both pods", lambda: {"web", mirror} <= known(pods).keys(), SECONDS)
        uids = {name: pod.uid for name, pod in known(pods).items()}
        sandboxes = sandbox_uids(cluster)
        assert uids == {name: sandboxes[name] for name in ("web", mirror)}
        assert [pods.is_gone(pod) for pod in known(pods).values()] == [False, False]

    watching(cluster, agent_kubeconfig, act)


def test_deleted_pod_tells_its_grace_period_and_then_is_gone(cluster: Cluster, agent_kubeconfig: Path) -> None:
    """While it ends, and after the API server has forgotten it although its sandbox runs on."""
    cluster.run(Pod("web"))
    cluster.stop_kubelet()

    def act(_: PodWatch, pods: ApiPods) -> None:
        web = known(pods)["web"]
        assert web.deletion_grace_seconds is None
        cluster.kubectl("delete", "pod", "web", "--namespace=lab", "--grace-period=77", "--wait=false")
        wait_until("the deletion", lambda: known(pods)["web"].deletion_grace_seconds == 77, SECONDS)
        assert pods.is_gone(web) is False

        cluster.kubectl("delete", "pod", "web", "--namespace=lab", "--force", "--grace-period=0")
        wait_until("the pod to be forgotten", lambda: "web" not in known(pods), SECONDS)
        assert pods.is_gone(web) is True

    watching(cluster, agent_kubeconfig, act)


def test_watch_outlives_the_definition_of_reports(cluster: Cluster, agent_kubeconfig: Path) -> None:
    """kopf ends when a kind that it watches is deleted; the pods stay known until the next one knows them."""
    cluster.run(Pod("web"))

    def act(watch: PodWatch, pods: ApiPods) -> None:
        cluster.kubectl("delete", "crd", CRD)

        def has_ended() -> bool:
            assert "web" in known(pods)
            return watch.ends > 0

        wait_until("kopf to end", has_ended, 60)
        wait_until("the next one to know the pods", lambda: watch.trouble is None, SECONDS)
        assert "web" in known(pods)

    watching(cluster, agent_kubeconfig, act)


def sandbox_uids(cluster: Cluster) -> dict[str, str]:
    """Return the uid that each sandbox carries, by the name of its pod."""
    return {one.metadata.name: one.metadata.uid for one in cluster.runtime.client.sandboxes()}


async def _within(seconds: float, event: Awaitable[object]) -> None:
    await asyncio.wait_for(event, seconds)
