"""What a user installs in a cluster before the agent: the definition of reports, account, rights and policy."""

import json
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

MANIFESTS = Path(__file__).parents[3] / "manifests"
CRD = MANIFESTS / "crd.yaml"
RBAC = MANIFESTS / "rbac.yaml"
POLICY = MANIFESTS / "own-node-policy.yaml"
CRD_NAME = "podsandboxreports.pausewatch.github.io"

NAMES_NO_NODE = "this token names no node"
"""What the policy says to the agent's account when it comes with a token that is bound to nothing."""

POLICY_SECONDS = 20.0
"""For the API server to take a policy up; it takes one or two."""


def service_account() -> tuple[str, str]:
    """The Kubernetes namespace and the name of the agent's service account."""
    (account,) = [one for one in _documents(RBAC) if one["kind"] == "ServiceAccount"]
    return account["metadata"]["namespace"], account["metadata"]["name"]


def agent_user() -> str:
    """What the API server calls the agent."""
    namespace, name = service_account()
    return f"system:serviceaccount:{namespace}:{name}"


def install(cluster: Cluster) -> None:
    """Apply everything, and wait until it is in force; what is there already stays."""
    install_crd(cluster)
    install_rbac(cluster)
    install_policy(cluster)


def install_crd(cluster: Cluster) -> None:
    """Define what a PodSandboxReport is, and wait until reports are served."""
    cluster.kubectl("apply", f"--filename={CRD}")
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD_NAME}", "--timeout=20s")


def install_rbac(cluster: Cluster) -> None:
    """Make the agent's Kubernetes namespace and account, and grant it what it needs."""
    cluster.kubectl("apply", f"--filename={RBAC}")


def install_policy(cluster: Cluster) -> None:
    """Limit each agent to what belongs to its node, and wait until the API server refuses what it has to refuse."""
    cluster.kubectl("apply", f"--filename={POLICY}")
    wait_until("the own-node policy to be in force", lambda: _refuses_without_node(cluster), POLICY_SECONDS)


def remove_crd(cluster: Cluster) -> None:
    """Remove the definition, and every report with it."""
    cluster.kubectl("delete", "crd", CRD_NAME, "--ignore-not-found", "--timeout=30s")


def revoke(cluster: Cluster) -> None:
    """Take away what the agent's account is granted; the account stays."""
    for one in _documents(RBAC):
        if one["kind"] in ("ClusterRoleBinding", "RoleBinding"):
            namespace = one["metadata"].get("namespace")
            scope = (f"--namespace={namespace}",) if namespace else ()
            cluster.kubectl("delete", one["kind"], one["metadata"]["name"], *scope)


def agent_kubeconfig(cluster: Cluster) -> Path:
    """A kubeconfig of the agent's service account, whose token names the node as that of a pod does."""
    namespace, name = service_account()
    return cluster.service_account_kubeconfig(name, namespace, bound_to_node=True)


def refusal(cluster: Cluster, manifest: dict[str, Any]) -> str:
    """Apply something that is to be refused, and return what the API server says.

    Raises:
        AssertionError: It was accepted.
    """
    try:
        cluster.apply(manifest)
    except LabError as error:
        return str(error)
    raise AssertionError(f"the API server accepted {manifest}")


def bare_report(node_name: str) -> dict[str, Any]:
    """The report of a node as it is created: without a status."""
    return {
        "apiVersion": "pausewatch.github.io/v1alpha1",
        "kind": "PodSandboxReport",
        "metadata": {"name": node_name},
        "spec": {"nodeName": node_name},
    }


def _refuses_without_node(cluster: Cluster) -> bool:
    """Whether the policy refuses the agent's account without a node; nothing is stored in any case."""
    asked = ("create", "--filename=-", "--dry-run=server", f"--as={agent_user()}")
    try:
        cluster.kubectl(*asked, stdin=json.dumps(bare_report("nobody")))
    except LabError as error:
        return NAMES_NO_NODE in str(error)
    return False


def _documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]
