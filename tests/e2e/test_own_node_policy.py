"""Three agents on three nodes, one account: each writes what belongs to its node, and nobody else's.

The account is granted all there is to do with reports and Events, far more than its ClusterRole: what is refused here
is refused by the policy alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import StartAgent
from e2e.support.installation import NAMES_NO_NODE, agent_user, bare_report
from e2e.support.node_tokens import bind_agent_pod, more_nodes, pod_token_kubeconfig, unbound_token_kubeconfig
from lab.errors import LabError
from lab.shapes.cluster import Cluster

OTHER_NODES = ("node-b", "node-c")
REPORTS = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"
CORE_EVENTS, EVENTS = "events.v1.", "events.v1.events.k8s.io"
"""The two paths of an Event, as kubectl calls them."""

ALL_RIGHTS = "test-of-own-node-policy"
LABEL = '{"metadata": {"labels": {"by": "test"}}}'
STATUS = {
    "reportTime": "2026-11-21T09:14:03Z",
    "staleAfterTime": "2026-11-21T09:39:03Z",
    "summary": dict.fromkeys(
        (
            *("sandboxes", "readySandboxes", "containers", "pauseProcesses", "pidNamespaces", "zombies", "orphans"),
            *("critical", "warning", "info"),
        ),
        0,
    ),
    "coverage": {"notComparableSandboxes": 0, "unreadableProcesses": 0, "ignoredFindings": 0, "skippedChecks": []},
    "conditions": [],
    "findings": [],
    "truncatedFindings": 0,
}
STATUS_PATCH = json.dumps({"status": STATUS})


@dataclass(frozen=True)
class Client:
    """Whoever has a token, with kubectl."""

    cluster: Cluster
    kubeconfig: Path
    node: str

    def kubectl(self, *arguments: str, manifest: dict[str, Any] | None = None) -> str:
        """Run kubectl with this token: of two kubeconfigs on its command line the last one counts."""
        stdin = json.dumps(manifest) if manifest else None
        return self.cluster.kubectl(f"--kubeconfig={self.kubeconfig}", *arguments, stdin=stdin)

    def refused(self, *arguments: str, manifest: dict[str, Any] | None = None) -> str:
        """Run kubectl, and return why that was refused.

        Raises:
            AssertionError: It was not.
        """
        try:
            done = self.kubectl(*arguments, manifest=manifest)
        except LabError as error:
            return str(error)
        raise AssertionError(f"{self.node} may do {arguments} {manifest}: {done}")


@pytest.fixture
def agents(cluster: Cluster) -> Iterator[list[Client]]:
    """One agent for each of three nodes."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ALL_RIGHTS},
        "rules": [
            {"apiGroups": ["pausewatch.github.io"], "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["*"]},
        ],
    }
    cluster.apply(role)
    namespace, name = agent_user().split(":")[-2:]
    binding = ("create", "clusterrolebinding", ALL_RIGHTS, f"--clusterrole={ALL_RIGHTS}")
    cluster.kubectl(*binding, f"--serviceaccount={namespace}:{name}")
    try:
        with more_nodes(cluster, *OTHER_NODES):
            yield [
                Client(cluster, pod_token_kubeconfig(cluster, bind_agent_pod(cluster, node), f"agent-{node}"), node)
                for node in (cluster.node_name, *OTHER_NODES)
            ]
    finally:
        cluster.kubectl("delete", "clusterrolebinding,clusterrole", ALL_RIGHTS)
        cluster.kubectl("delete", "psr,events", "--all")


@pytest.fixture
def reports(cluster: Cluster, agents: list[Client]) -> None:
    """A report of each node."""
    cluster.apply(*(bare_report(agent.node) for agent in agents))


def test_each_agent_writes_its_own(agents: list[Client]) -> None:
    """In every way that there is, by both paths of an Event, and away again."""
    for agent in agents:
        agent.kubectl("create", "--filename=-", manifest=bare_report(agent.node))
        agent.kubectl("patch", "psr", agent.node, "--type=merge", f"--patch={LABEL}")
        agent.kubectl("patch", "psr", agent.node, "--subresource=status", "--type=merge", f"--patch={STATUS_PATCH}")
        agent.kubectl("apply", "--server-side", "--filename=-", manifest=bare_report(agent.node))
        for event in (an_event(agent.node), a_core_event(agent.node)):
            agent.kubectl("create", "--filename=-", manifest=event)
            agent.kubectl("patch", kind_of(event), event["metadata"]["name"], "--type=merge", f"--patch={LABEL}")
            agent.kubectl("delete", kind_of(event), event["metadata"]["name"])
        agent.kubectl("delete", "psr", agent.node)


@pytest.mark.usefixtures("reports")
def test_no_agent_writes_another_s_report(cluster: Cluster, agents: list[Client]) -> None:
    """However it is tried, it is refused with a text that names both nodes, and nothing has changed."""
    before = versions(cluster)
    for agent, other in pairs(agents):
        its = bare_report(other)
        cluster_wide = ("--server-side", "--force-conflicts", "--filename=-")
        tries = {
            "patch": agent.refused("patch", "psr", other, "--type=merge", f"--patch={LABEL}"),
            "JSON patch": agent.refused(
                "patch", "psr", other, "--type=json", '--patch=[{"op": "add", "path": "/metadata/labels", "value": {}}]'
            ),
            "status": agent.refused(
                "patch", "psr", other, "--subresource=status", "--type=merge", f"--patch={STATUS_PATCH}"
            ),
            "update": agent.refused("replace", "--filename=-", manifest=labelled(its)),
            "delete": agent.refused("delete", "psr", other),
            "apply": agent.refused("apply", *cluster_wide, manifest=labelled(its)),
            "apply status": agent.refused(
                "apply", "--subresource=status", *cluster_wide, manifest=its | {"status": STATUS}
            ),
        }
        says = f"the agent of node {agent.node} may not write podsandboxreports of node {other}"
        assert {what for what, said in tries.items() if says not in said} == set(), tries

    assert versions(cluster) == before


def test_no_agent_creates_another_s_report(cluster: Cluster, agents: list[Client]) -> None:
    """Neither with create nor with an apply that finds nothing there."""
    for agent, other in pairs(agents):
        says = f"the agent of node {agent.node} may not write podsandboxreports of node {other}"
        assert says in agent.refused("create", "--filename=-", manifest=bare_report(other))
        assert says in agent.refused("apply", "--server-side", "--filename=-", manifest=bare_report(other))

    assert versions(cluster) == {}


@pytest.mark.usefixtures("reports")
def test_deleting_all_reports_deletes_no_other_s(cluster: Cluster, agents: list[Client]) -> None:
    """Of a collection each object is judged; the agent's own may be gone before another's is refused."""
    before = versions(cluster)
    for agent in agents:
        others = {name: version for name, version in before.items() if name != agent.node}

        assert "may not write podsandboxreports of node" in agent.refused("delete", f"--raw={REPORTS}")
        assert versions(cluster).items() >= others.items()
        cluster.apply(bare_report(agent.node))
        before = versions(cluster)


def test_no_agent_writes_events_of_another(cluster: Cluster, agents: list[Client]) -> None:
    """By neither path: not new ones, not by taking one over, not by giving one away."""
    for agent, other in zip(agents, [one.node for one in (*agents[1:], agents[0])], strict=True):
        says = f"the agent of node {agent.node} may not write events of node {other}"
        for make in (an_event, a_core_event):
            its, own = make(other), make(agent.node)
            assert says in agent.refused("create", "--filename=-", manifest=its)
            cluster.kubectl("create", "--filename=-", stdin=json.dumps(its))
            cluster.kubectl("create", "--filename=-", stdin=json.dumps(own))
            for kind in (CORE_EVENTS, EVENTS):
                name, own_name = its["metadata"]["name"], own["metadata"]["name"]
                assert says in agent.refused("patch", kind, name, "--type=merge", f"--patch={LABEL}")
                assert_not_handed_over(agent, kind, name, agent.node, says)
                assert_not_handed_over(agent, kind, own_name, other, says)
                assert says in agent.refused("delete", kind, name)
            cluster.kubectl("delete", "events", its["metadata"]["name"], own["metadata"]["name"])


def test_agent_does_not_speak_for_the_kubelet(cluster: Cluster, agents: list[Client]) -> None:
    """The kubelet writes Events in the name of the same node."""
    agent = agents[0]
    kubelet_s = a_core_event(agent.node) | {"reportingComponent": "kubelet", "source": {"component": "kubelet"}}
    says = "Events with reportingController pausewatch only"

    assert says in agent.refused("create", "--filename=-", manifest=kubelet_s)
    assert says in agent.refused(
        "create", "--filename=-", manifest=an_event(agent.node) | {"reportingController": "kubelet"}
    )
    cluster.kubectl("create", "--filename=-", stdin=json.dumps(kubelet_s))
    name = kubelet_s["metadata"]["name"]
    for kind in (CORE_EVENTS, EVENTS):
        assert says in agent.refused("patch", kind, name, "--type=merge", f"--patch={LABEL}")
        assert says in agent.refused("delete", kind, name)


@pytest.mark.usefixtures("reports")
def test_token_without_node_writes_nothing(cluster: Cluster) -> None:
    """And is told which token it takes."""
    before = versions(cluster)
    unbound = Client(cluster, unbound_token_kubeconfig(cluster), "nowhere")

    for said in (
        unbound.refused("create", "--filename=-", manifest=bare_report("nowhere")),
        unbound.refused("patch", "psr", cluster.node_name, "--type=merge", f"--patch={LABEL}"),
        unbound.refused("delete", "psr", cluster.node_name),
        unbound.refused("create", "--filename=-", manifest=an_event(cluster.node_name)),
        unbound.refused("create", "--filename=-", manifest=a_core_event(cluster.node_name)),
    ):
        assert NAMES_NO_NODE in said
    assert versions(cluster) == before


@pytest.mark.usefixtures("reports")
def test_others_are_not_affected(cluster: Cluster, agents: list[Client]) -> None:
    """An administrator writes whatever they like, and so does any account but the agent's that has the right."""
    cluster.kubectl("patch", "psr", cluster.node_name, "--type=merge", f"--patch={LABEL}")
    cluster.kubectl("create", "--filename=-", stdin=json.dumps(an_event("whoever")))
    cluster.kubectl("create", "--filename=-", stdin=json.dumps(a_core_event("")))
    cluster.kubectl("delete", "psr", *(agent.node for agent in agents))


@pytest.mark.usefixtures("agents")
def test_agent_with_another_node_s_token_says_so(cluster: Cluster, start_agent: StartAgent) -> None:
    """It goes on to look, lives, and tells the reason in its log and on its pages."""
    kubeconfig = pod_token_kubeconfig(cluster, f"agent-of-{OTHER_NODES[0]}", "agent-node-b")
    agent = start_agent(kubeconfig=kubeconfig)
    says = f"the agent of node {OTHER_NODES[0]} may not write podsandboxreports of node {cluster.node_name}"

    agent.log_line("the report is not written", says)
    agent.await_scans(2)
    assert agent.troubles()["report"] == "Forbidden"
    assert agent.page("/healthz").status == 200
    assert versions(cluster) == {}


def pairs(agents: list[Client]) -> Iterator[tuple[Client, str]]:
    """Each agent with each other node."""
    return ((agent, other.node) for agent in agents for other in agents if other is not agent)


def versions(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """What is stored: uid and resource version of each report, by name."""
    items = json.loads(cluster.kubectl("get", "psr", "--output=json"))["items"]
    found = (one["metadata"] for one in items)
    return {one["name"]: (one["uid"], one["resourceVersion"]) for one in found}


def labelled(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest that changes something."""
    return manifest | {"metadata": manifest["metadata"] | {"labels": {"by": "test"}}}


def assert_not_handed_over(agent: Client, kind: str, name: str, node: str, says: str) -> None:
    """Hold the API server to refusing that an Event gets another node.

    By the path of events.k8s.io nobody may change that field (pkg/apis/core/validation/events.go); there the policy is
    not even asked.
    """
    patch = json.dumps({"reportingInstance": node})
    said = agent.refused("patch", kind, name, "--type=merge", f"--patch={patch}")
    assert ("field is immutable" if kind == EVENTS else says) in said


def an_event(node: str) -> dict[str, Any]:
    """An Event in the name of a node, of the group events.k8s.io."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"new-{node}", "namespace": "default"},
        "eventTime": "2026-11-21T09:14:03.000000Z",
        "reportingController": "pausewatch",
        "reportingInstance": node,
        "action": "Scan",
        "reason": "ZombieBuildup",
        "type": "Warning",
        "note": "a test",
        "regarding": {"kind": "Node", "name": node, "apiVersion": "v1"},
    }


def a_core_event(node: str) -> dict[str, Any]:
    """The same by the path of the core group."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"core-{node or 'nobody'}", "namespace": "default"},
        "reportingComponent": "pausewatch",
        "reportingInstance": node,
        "reason": "ZombieBuildup",
        "type": "Warning",
        "message": "a test",
        "involvedObject": {"kind": "Node", "name": node, "apiVersion": "v1"},
    }


def kind_of(event: dict[str, Any]) -> str:
    """What kubectl calls an Event of this group."""
    return CORE_EVENTS if event["apiVersion"] == "v1" else EVENTS
