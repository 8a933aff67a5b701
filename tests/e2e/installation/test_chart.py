"""The chart with its defaults on a real cluster: what the agents' pods can do, find, and can not do; its whole life.

One installation for all of it. The last tests change it, so they stand last.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from e2e.support.exposition import Exposition
from e2e.support.installation import CRD_NAME, MANIFESTS, bare_report
from e2e.support.node_report import condition, findings, polled_report, read_report
from e2e.support.node_tokens import pod_token_kubeconfig
from e2e.support.release import (
    CLUSTER_WIDE,
    NAMESPACE,
    NAMESPACED,
    OURS,
    READY_SECONDS,
    RESIDENT_BUDGET_KIB,
    SYS_PTRACE,
    Installation,
    typed,
)
from integration.support.restart import start_runtime_again, stop_runtime
from lab.build.agent_image import AGENT_IMAGE
from lab.errors import LabError
from lab.processes import parent_pid
from lab.shapes.cluster_node import ClusterNode
from lab.waiting import wait_until
from support.helm import RELEASE, Manifest
from support.readme import commands_below

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

SECONDS = 120.0
FAST = "--set=settings.scanPeriodSeconds=2,settings.reportIntervalSeconds=1,maxUnavailable=100%"

WRITABLE = """
import os
found = []
def is_own(path):
    # What the node mounts below its /run, such as file systems of containers, is a matter of docs/security.md.
    return path not in ("/proc", "/sys") and not (path.startswith("/host/run/") and os.lstat(path).st_dev != run)
run = os.stat("/host/run").st_dev
for folder, folders, _ in os.walk("/"):
    folders[:] = [one for one in folders if is_own(os.path.join(folder, one))]
    try:
        path = os.path.join(folder, ".written")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)
        found.append(folder)
    except OSError:
        pass
print(" ".join(found))
"""


def test_every_node_is_reported(installation: Installation) -> None:
    """By an agent that sees everything: the runtime, all processes and pods, and its own definition."""
    for node in installation.nodes:
        report = installation.await_report(node, "the torn pod", "namespace-not-shared")
        coverage = report["status"]["coverage"]

        assert condition(report, "RuntimeReachable") == condition(report, "ScanComplete") == "True"
        assert (coverage["skippedChecks"], coverage["unreadableProcesses"]) == ([], 0)
        assert json.loads(installation.page(node, "/readyz"))["troubles"] == {}


def test_faults_are_found_from_inside_the_pod(installation: Installation, torn: tuple[str, ...]) -> None:
    """Each on its own node, with the socket as the node knows it; the agent's own pod is no fault."""
    for node, name in zip(installation.nodes, torn, strict=True):
        report = installation.await_report(node, name, "namespace-not-shared")
        told = {(one["reason"], one["pod"]["namespace"], one["pod"]["name"]) for one in findings(report)}

        assert ("NamespaceNotShared", "lab", name) in told
        assert not [one for one in told if one[1] == NAMESPACE]
        reached = next(one for one in report["status"]["conditions"] if one["type"] == "RuntimeReachable")
        assert "unix:///run/containerd/containerd.sock" in reached["message"]


def test_third_line_of_the_readme_shows_every_node(installation: Installation, torn: tuple[str, ...]) -> None:
    """Each with its fault, as the README promises of three lines."""
    for node, name in zip(installation.nodes, torn, strict=True):
        installation.await_report(node, name, "namespace-not-shared")
    _, _, get = commands_below("Install")

    rows = {row.split()[0]: row for row in typed(installation.cluster, installation.helm, get).splitlines()[1:]}

    assert {*rows} == {node.node_name for node in installation.nodes}
    assert all(" False " in row for row in rows.values())


def test_agent_has_what_it_needs_and_no_more(installation: Installation) -> None:
    """Read from /proc of the node: uid, capabilities, seccomp, memory; and no restart so far."""
    for node in installation.nodes:
        status = installation.process_status(node)

        assert status["Uid"].split() == ["0"] * 4
        assert status["CapEff"] == status["CapPrm"] == status["CapBnd"] == SYS_PTRACE
        assert status["CapInh"] == status["CapAmb"] == "0" * 16
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert int(status["VmRSS"].split()[0]) <= RESIDENT_BUDGET_KIB
        assert installation.restarts(node) == 0


def test_agent_can_write_nothing_but_its_temporary_directory(installation: Installation) -> None:
    """/dev is memory of the container's own, which every container has."""
    for node in installation.nodes:
        name = installation.agents()[node.node_name]["metadata"]["name"]
        python = ("--", "/opt/pausewatch/bin/python", "-IBc", WRITABLE)
        said = installation.cluster.kubectl("exec", f"--namespace={NAMESPACE}", name, *python)

        assert {path for path in said.split() if not re.match(r"/dev(/|$)", path)} == {"/tmp"}  # noqa: S108  a pod's


def test_token_of_an_agent_is_good_for_its_node_only(installation: Installation) -> None:
    """The policy names the account of the release, and the token of a pod names the node."""
    cluster = installation.cluster
    for node in installation.nodes:
        pod = installation.agents()[node.node_name]["metadata"]["name"]
        kubeconfig = pod_token_kubeconfig(cluster, pod, f"installed-{node.node_name}")
        for other in installation.nodes:
            if other is not node:
                create = (f"--kubeconfig={kubeconfig}", "create", "--dry-run=server", "--filename=-")
                with pytest.raises(LabError, match=f"the agent of node {node.node_name} may not write"):
                    cluster.kubectl(*create, stdin=json.dumps(bare_report(other.node_name)))


def test_notes_tell_the_next_steps(installation: Installation) -> None:
    """And warn of nothing that is not so."""
    assert "kubectl get psr" in installation.notes
    assert "enforce=privileged" in installation.notes
    assert "WARNING" not in installation.notes


def test_namespace_with_a_stricter_standard_refuses_the_agent(installation: Installation) -> None:
    """Baseline names what it objects to; the standard privileged admits the very same pod."""
    cluster = installation.cluster
    text = cluster.kubectl("get", "daemonset", RELEASE, f"--namespace={NAMESPACE}", "--output=json")
    pod = json.loads(text)["spec"]["template"] | {"apiVersion": "v1", "kind": "Pod"}
    pod["metadata"]["name"] = "tried"
    pod["spec"] |= {"serviceAccountName": "default", "automountServiceAccountToken": False}
    baseline = {"name": "baseline", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": baseline})
    try:
        create = ("create", "--dry-run=server", "--filename=-")
        with pytest.raises(LabError, match='violates PodSecurity "baseline') as refused:
            cluster.kubectl(*create, "--namespace=baseline", stdin=json.dumps(pod))
        for reason in ("host namespaces", "hostPath volumes", "non-default capabilities"):
            assert reason in str(refused.value)
        assert "pod/tried created" in cluster.kubectl(*create, f"--namespace={NAMESPACE}", stdin=json.dumps(pod))
    finally:
        cluster.kubectl("delete", "namespace", "baseline", "--wait=false")


def test_upgrade_and_runtime_restart(installation: Installation) -> None:
    """Settings of an upgrade reach the agents; a runtime that was restarted needs no other agent; back it goes."""
    before = settings_of(installation)
    installation.helm.release("upgrade", "--reuse-values", FAST)
    installation.await_agents(SECONDS)
    for node in installation.nodes:
        exposition = Exposition(installation.page(node, "/metrics"))
        assert exposition.total("pausewatch_scan_period_seconds") == 2

    node = installation.nodes[0]
    agent = installation.pod(node)
    pid, shim = agent.pid("agent"), parent_pid(agent.pause_pid())
    stop_runtime(node.runtime)
    start_runtime_again(node.runtime, shim)
    node.await_node()
    scans = scans_of(installation, node)
    wait_until("two more scans", lambda: scans_of(installation, node) >= scans + 2, SECONDS)

    def reached() -> bool:
        report = polled_report(node)
        return report is not None and condition(report, "RuntimeReachable") == "True"

    wait_until("the restarted runtime to be reached", reached, SECONDS)
    assert installation.pod(node).pid("agent") == pid

    installation.helm.release("rollback", "1")
    assert settings_of(installation) == before


def test_uninstall_and_plain_manifests(installation: Installation) -> None:
    """Reports and definition outlive the release; ``kubectl apply`` of the manifests installs what helm does."""
    cluster = installation.cluster
    by_helm = stored(installation)
    installation.helm.release("uninstall", "--wait")

    assert set(stored(installation)) == {("CustomResourceDefinition", CRD_NAME)}
    assert all(read_report(node) for node in installation.nodes)
    cluster.kubectl("apply", "--filename=-", stdin="\n---\n".join(manifests()))
    installation.await_agents(READY_SECONDS)
    assert stored(installation) == by_helm


def scans_of(installation: Installation, node: ClusterNode) -> float:
    """How many scans the agent of a node has made; 0 while nobody answers."""
    try:
        return Exposition(installation.page(node, "/metrics")).total("pausewatch_scans_total")
    except LabError:
        return 0


def settings_of(installation: Installation) -> object:
    """What the agents' settings file says."""
    text = installation.cluster.kubectl("get", "configmap", RELEASE, f"--namespace={NAMESPACE}", "--output=json")
    return yaml.safe_load(json.loads(text)["data"]["settings.yaml"])


def manifests() -> list[str]:
    """The manifests in the order in which kubectl applies a directory, with the name of the image that is here."""
    texts = [path.read_text() for path in sorted(Path(MANIFESTS).glob("*.yaml"))]
    image = re.compile(r"image: .*/pausewatch:.*\n(\s+)imagePullPolicy: .*")
    return [image.sub(rf"image: {AGENT_IMAGE}\n\1imagePullPolicy: Never", text) for text in texts]


def stored(installation: Installation) -> dict[tuple[str, str], object]:
    """What is installed, without what says who installed it."""
    found: list[Manifest] = []
    for kinds in (CLUSTER_WIDE, NAMESPACED):
        listed = ("get", kinds, OURS, "--output=json", f"--namespace={NAMESPACE}")
        found += json.loads(installation.cluster.kubectl(*listed))["items"]
    return {
        (one["kind"], one["metadata"]["name"]): {
            name: value for name, value in one.items() if name not in ("metadata", "status")
        }
        for one in found
    }
