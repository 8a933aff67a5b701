"""What others in a cluster may do to the report, its definition and its way to the API server."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml

from e2e.support.installation import RBAC
from e2e.support.node_report import Report
from lab.errors import LabError
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

LONG_AGO, FAR_AHEAD = "0001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"

MUTATION = "test-of-hostile-cluster"
MUTATED = 7
"""What a policy makes of each ``truncatedFindings``."""

ROLE = "pausewatch-agent"
"""The agent's ClusterRole."""

IN_FORCE_SECONDS = 120.0


def node_owner(cluster: Cluster, name: str) -> dict[str, str]:
    """A reference to a Node, as an owner."""
    uid = cluster.kubectl("get", "node", name, "--output=jsonpath={.metadata.uid}")
    return {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}


def edit(cluster: Cluster, metadata: Mapping[str, object]) -> None:
    """Change the metadata of the report, as an administrator."""
    patch = json.dumps({"metadata": metadata})
    cluster.kubectl("patch", "psr", cluster.node_name, "--type=merge", f"--patch={patch}")


@contextmanager
def without_finalizers_afterwards(cluster: Cluster) -> Iterator[None]:
    """Let the report go when the test is over: nobody could delete it else."""
    try:
        yield
    finally:
        edit(cluster, {"finalizers": None})


def set_status(cluster: Cluster, status: Report) -> None:
    """Write a status, as an administrator."""
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", "psr", cluster.node_name, "--subresource=status", "--type=merge", f"--patch={patch}")


def garbage() -> Report:
    """A status that the definition allows and no agent would write."""
    counts = ("sandboxes", "readySandboxes", "containers", "pauseProcesses", "pidNamespaces", "zombies", "orphans")
    healthy = {"type": "Healthy", "status": "True", "reason": "made-up", "message": "", "lastTransitionTime": LONG_AGO}
    return {
        "reportTime": FAR_AHEAD,
        "staleAfterTime": FAR_AHEAD,
        "summary": dict.fromkeys((*counts, "critical", "warning", "info"), 2**31 - 1),
        "coverage": {"notComparableSandboxes": 0, "unreadableProcesses": 0, "ignoredFindings": 0, "skippedChecks": []},
        "conditions": [healthy],
        "findings": [
            {
                "id": f"made-up/{number}",
                "check": "made-up",
                "reason": "\u001b[31mmade-up\n",
                "severity": "Critical",
                "firstSeenTime": LONG_AGO,
                "runbookURL": "",
                "pod": {"uid": "$(id)"},
            }
            for number in range(20)
        ],
        "truncatedFindings": 2**31 - 1,
    }


def schema(definition: dict[str, Any]) -> dict[str, Any]:
    """The schema of the only version of a definition."""
    (version,) = definition["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def demanding(version: dict[str, Any]) -> None:
    """Have a version of the definition ask for a field that no agent writes."""
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    status["properties"]["verdict"] = {"type": "string"}
    status["required"].append("verdict")


@contextmanager
def mutating(cluster: Cluster) -> Iterator[None]:
    """Within this context each status that is written is changed on its way, by whoever it is written."""
    api = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": ["pausewatch.github.io"],
        "apiVersions": ["*"],
        "operations": ["UPDATE"],
        "resources": ["podsandboxreports/status"],
    }
    change = f'[JSONPatch{{op: "replace", path: "/status/truncatedFindings", value: {MUTATED}}}]'
    policy = {
        "apiVersion": api,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": MUTATION},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [rule]},
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": change}}],
        },
    }
    kind, spec = "MutatingAdmissionPolicyBinding", {"policyName": MUTATION}
    cluster.apply(policy, {"apiVersion": api, "kind": kind, "metadata": {"name": MUTATION}, "spec": spec})

    def in_force() -> bool:
        patch = json.dumps({"status": garbage()})
        asked = ("patch", "psr", cluster.node_name, "--subresource=status", "--type=merge", f"--patch={patch}")
        try:
            answer = cluster.kubectl(*asked, "--dry-run=server", "--output=json")
        except LabError:
            return False  # not known yet
        return bool(json.loads(answer)["status"]["truncatedFindings"] == MUTATED)

    try:
        wait_until("the policy to be in force", in_force, IN_FORCE_SECONDS)
        yield
    finally:
        cluster.kubectl("delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", MUTATION)
        cluster.kubectl("wait", "--for=delete", f"mutatingadmissionpolicy/{MUTATION}", "--timeout=30s")


def cluster_role_rules() -> list[dict[str, Any]]:
    """What the agent's ClusterRole grants."""
    documents = yaml.safe_load_all(RBAC.read_text(encoding="utf-8"))
    (role,) = [one for one in documents if one["kind"] == "ClusterRole" and one["metadata"]["name"] == ROLE]
    found: list[dict[str, Any]] = role["rules"]
    return found
