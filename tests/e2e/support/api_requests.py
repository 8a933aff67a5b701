"""What the agent asked of the API server, with the server's own audit log as witness."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from e2e.support.installation import agent_user
from e2e.support.node_report import read_report
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_audit import AuditRecord
from lab.shapes.cluster_node import ClusterNode

REPORTS = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"
PODS = "/api/v1/pods"
EVENTS = "/apis/events.k8s.io/v1/namespaces/"
OTHER_WRITERS = {"kubelet", "kube-controller-manager", "kube-scheduler", "kubectl-client-side-apply"}
"""Who else writes to pods and nodes of the lab, as the managers of their fields."""

WRITES = ("create", "update", "patch", "delete", "deletecollection")


def now() -> datetime:
    """The time by which later requests are told from earlier ones."""
    return datetime.now(UTC)


def requests_since(cluster: Cluster, moment: datetime) -> list[AuditRecord]:
    """Each request of the agent since then, once, in order."""
    user = agent_user()
    # A watch is on record when it starts and when it ends.
    return [
        one
        for one in cluster.audit()
        if one.user == user
        and one.time >= moment
        and (one.stage == "ResponseComplete" if one.verb != "watch" else one.stage == "ResponseStarted")
    ]


def brief(requests: Sequence[AuditRecord]) -> list[str]:
    """Requests as "verb path code", without the query."""
    return [f"{one.verb} {urlsplit(one.uri).path} {one.code}" for one in requests]


def writes(requests: Sequence[AuditRecord]) -> list[AuditRecord]:
    """Those that store something. Asking who one is, is a "create" too, that stores nothing."""
    return [one for one in requests if one.verb in WRITES and not one.uri.startswith("/apis/authentication.k8s.io/")]


def creations(requests: Sequence[AuditRecord]) -> list[AuditRecord]:
    """Those that created a report."""
    return [one for one in requests if one.verb == "create" and urlsplit(one.uri).path == REPORTS]


def of_node(requests: Sequence[AuditRecord], node_name: str) -> list[AuditRecord]:
    """Those whose token names a node."""
    return [one for one in requests if one.node == node_name]


def assert_asks_for_its_own_only(requests: Sequence[AuditRecord], node_name: str) -> None:
    """Hold the agent of a node to LIST and WATCH of its pods and report, and to writing its report and Events.

    Events it may list too: those of one pod.

    Raises:
        AssertionError: With the request that is none of these.
    """
    own = {PODS: f"spec.nodeName={node_name}", REPORTS: f"metadata.name={node_name}"}
    assert requests
    for one in requests:
        path = one.uri.partition("?")[0]
        if one.verb == "list" and path.endswith("/events"):
            assert field_selector(one).startswith("involvedObject.uid="), one
        elif one.verb in ("list", "watch"):
            assert path in own, one
            assert field_selector(one) == own[path], one
            # In pages, or as of this moment for the watch: etcd would read the pods of all nodes.
            assert not query(one, "continue"), one
            assert one.verb == "watch" or path == PODS or query(one, "resourceVersion") == "0", one
    for one in writes(requests):
        path = one.uri.partition("?")[0]
        assert path in (REPORTS, f"{REPORTS}/{node_name}/status") or path.startswith(EVENTS), one


def assert_left_no_traces(cluster: Cluster, nodes: Sequence[ClusterNode]) -> None:
    """Hold the agents to no finalizer and no annotation on their reports, and no field of other objects.

    Raises:
        AssertionError: There is one.
    """
    for node in nodes:
        report = read_report(node)
        assert report is not None
        assert not {"finalizers", "annotations"} & report["metadata"].keys()
    objects = json.loads(cluster.kubectl("get", "pods,nodes", "-A", "--output=json", "--show-managed-fields"))["items"]
    assert objects
    managers = {entry["manager"] for one in objects for entry in one["metadata"].get("managedFields", ())}
    assert managers <= OTHER_WRITERS
    assert not [one["metadata"]["name"] for one in objects if "finalizers" in one["metadata"]]


def field_selector(request: AuditRecord) -> str:
    """The field selector of a LIST or WATCH; empty if it has none."""
    return query(request, "fieldSelector")


def query(request: AuditRecord, name: str) -> str:
    """A parameter of a request; empty if it has none of this name."""
    return parse_qs(urlsplit(request.uri).query).get(name, [""])[0]
