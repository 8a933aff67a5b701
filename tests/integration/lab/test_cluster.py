"""A real API server, scheduler and kubelet: its pods run on the lab's containerd, and daemons can be taken away."""

import json
import os
import subprocess
import time

import pytest

from lab import faults
from lab.errors import LabError
from lab.pods import Container, Pod
from lab.processes import linux_namespace
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_manifests import pod_manifest
from lab.waiting import wait_until

_READY = 0  # SANDBOX_READY of the CRI
_API_SERVICE = "10.96.0.1"


def test_pod_runs(cluster: Cluster) -> None:
    """The kubelet makes a pod of the API on the lab's runtime, with its containers and pause."""
    web = cluster.run(Pod("web", containers=(Container("app"), Container("side"))))

    assert linux_namespace(web.pid("app"), "net") == linux_namespace(web.pause_pid(), "net")
    assert linux_namespace(web.pid("side"), "net") == linux_namespace(web.pause_pid(), "net")
    status = cluster.kubectl(
        "get", "pod", "web", "--namespace=lab", "--output=jsonpath={.status.podIP} {.spec.nodeName}"
    )
    assert status == f"{web.address()} {cluster.node_name}"


def test_pod_with_shared_pid_namespace(cluster: Cluster) -> None:
    """What `lab.pods.Pod` asks for reaches the runtime: here one PID namespace for the pod."""
    web = cluster.run(Pod("web", share_pid=True))

    assert linux_namespace(web.pid(), "pid") == linux_namespace(web.pause_pid(), "pid")


def test_exec_and_logs(cluster: Cluster) -> None:
    """The API server reaches the kubelet."""
    cluster.run(Pod("talker", containers=(Container(command=("sh", "-c", "echo said; exec sleep 1000000")),)))

    assert cluster.kubectl("exec", "--namespace=lab", "talker", "--", "echo", "heard") == "heard\n"
    wait_until("the log", lambda: cluster.kubectl("logs", "--namespace=lab", "talker") == "said\n", 10)


def test_pod_reaches_the_api_server_at_its_service_address(cluster: Cluster) -> None:
    """kube-proxy works: the address that clients in a pod are told leads to the API server."""
    cluster.run(Pod("client"))

    command = f"nc -w 5 {_API_SERVICE} 443 </dev/null && echo reached"
    assert cluster.kubectl("exec", "--namespace=lab", "client", "--", "sh", "-c", command) == "reached\n"


def test_audit_tells_who_asked_for_what(cluster: Cluster) -> None:
    """Each request is on record with its user, verb, selectors and status."""
    cluster.kubectl("get", "pods", "--namespace=lab", "--field-selector=spec.nodeName=nobodys")

    (record,) = [record for record in cluster.audit() if "nobodys" in record.uri]
    assert (record.verb, record.user, record.code, record.stage) == ("list", "admin", 200, "ResponseComplete")
    assert record.uri.startswith("/api/v1/namespaces/lab/pods?fieldSelector=spec.nodeName%3Dnobodys")
    assert record.user_agent.startswith("kubectl/")


def test_orphan_by_a_pod_deleted_while_the_kubelet_is_away(cluster: Cluster) -> None:
    """A sandbox outlives its pod: READY in the runtime, unknown to the API; the kubelet clears it once it is back."""
    cluster.run(Pod("orphan"))
    cluster.stop_kubelet()
    cluster.kubectl("delete", "pod", "orphan", "--namespace=lab", "--force", "--grace-period=0")

    with pytest.raises(LabError, match="NotFound"):
        cluster.kubectl("get", "pod", "orphan", "--namespace=lab")
    orphan = cluster.find_pod("orphan")
    client = cluster.runtime.client
    assert client.sandbox_status(orphan.sandbox_id).state == _READY
    assert orphan.pid()

    cluster.start_kubelet()
    cluster.await_node()
    wait_until("the kubelet to stop the orphan", lambda: client.sandbox_status(orphan.sandbox_id).state != _READY, 30)


def test_api_server_killed_and_started(cluster: Cluster) -> None:
    """Without the API server pods run on; a new one knows them all."""
    web = cluster.run(Pod("web"))
    cluster.stop_api_server()
    with pytest.raises(LabError, match="refused"):
        cluster.kubectl("get", "pods", "--namespace=lab")
    assert web.pid()

    cluster.start_api_server()
    assert "web" in cluster.kubectl("get", "pods", "--namespace=lab", "--output=name")


def test_paused_api_server_answers_nobody(cluster: Cluster) -> None:
    """A hanging API server accepts a connection and lets the client wait."""
    cluster.pause_api_server()
    with pytest.raises(LabError, match=r"[Tt]imeout|deadline"):
        cluster.kubectl("get", "--raw=/readyz", "--request-timeout=1s")

    cluster.resume_api_server()
    assert cluster.kubectl("get", "--raw=/readyz") == "ok"


def test_fault_by_name_of_pod_and_container(cluster: Cluster) -> None:
    """The wrapper around runc breaks a container of the kubelet's too, and only the one that is named."""
    cluster.falsify("torn", "app", {"type": "network", "do": "fresh"})
    torn = cluster.run(Pod("torn", containers=(Container("app"), Container("side"))))

    assert linux_namespace(torn.pid("app"), "net") != linux_namespace(torn.pause_pid(), "net")
    assert linux_namespace(torn.pid("side"), "net") == linux_namespace(torn.pause_pid(), "net")

    cluster.stop_falsifying("torn", "app")
    healed = cluster.run(Pod("healed"))
    assert linux_namespace(healed.pid(), "net") == linux_namespace(healed.pause_pid(), "net")


def test_verbs_of_faults_work_on_pods_of_the_kubelet(cluster: Cluster) -> None:
    """What `find_pod` returns is what `lab.faults` takes: here a pause is killed, and the kubelet makes another."""
    before = cluster.run(Pod("web"))
    faults.kill_pause(before)

    wait_until("another sandbox", lambda: cluster.find_pod("web").sandbox_id != before.sandbox_id, 30)


def test_service_account_kubeconfig_bound_to_the_node(cluster: Cluster) -> None:
    """A client on the machine is a service account, with the node's name in its token as a pod's has it."""
    cluster.kubectl("create", "serviceaccount", "agent", "--namespace=lab")
    kubeconfig = cluster.service_account_kubeconfig("agent", bound_to_node=True)

    command = [str(cluster.programs.kubectl), f"--kubeconfig={kubeconfig}", "auth", "whoami", "--output=yaml"]
    environment = {"PATH": os.environ["PATH"]}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    assert "username: system:serviceaccount:lab:agent" in told
    assert f"- {cluster.node_name}" in told


def test_wait_for_a_pod_that_never_is_ready(cluster: Cluster) -> None:
    """The wait ends at its limit and says what is wrong with the pod."""
    cluster.apply(
        "{apiVersion: v1, kind: Pod, metadata: {name: none, namespace: lab}, spec: {containers: "
        "[{name: app, image: localhost/none, imagePullPolicy: Never}]}}"
    )
    began = time.monotonic()

    with pytest.raises(LabError, match=r"waited 2 s for lab/none to be Ready(?s:.*)localhost/none"):
        cluster.wait_for_pod("none", limit_seconds=2)
    assert time.monotonic() - began < 10


def test_static_pod(cluster: Cluster) -> None:
    """A manifest on the node's disk runs without the API server having been asked, which gets a mirror of it."""
    manifest = pod_manifest(Pod("static"))
    (cluster.places.static_pods / "static.json").write_text(json.dumps(manifest))
    name = f"static-{cluster.node_name}"

    wait_until(
        "the mirror pod", lambda: f"pod/{name}\n" in cluster.kubectl("get", "pods", "-nlab", "--output=name"), 30
    )
    running = cluster.wait_for_pod(name)
    source = cluster.kubectl("get", "pod", name, "-nlab", "--output=jsonpath={.metadata.annotations}")
    assert "kubernetes.io/config.mirror" in source
    assert running.pid()
