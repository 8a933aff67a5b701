"""What a cluster is asked to grant: exactly what the agent uses, and nothing that could do harm."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.render import REPOSITORY, SCHEMA

MANIFESTS = REPOSITORY / "manifests"
WORKLOAD = MANIFESTS / "workload.yaml"
READS = ["get", "list", "watch"]

AGENT_RIGHTS = {
    ("", "pods"): READS,
    ("", "events"): ["list"],
    ("events.k8s.io", "events"): ["create", "patch"],
    ("pausewatch.github.io", "podsandboxreports"): [*READS, "create"],
    ("pausewatch.github.io", "podsandboxreports/status"): ["patch"],
}


def documents() -> list[dict[str, Any]]:
    """Return the agent's namespace, account and rights."""
    return list(yaml.safe_load_all((MANIFESTS / "rbac.yaml").read_text()))


def the(kind: str, name: str) -> dict[str, Any]:
    """Return one object of the manifest."""
    (found,) = [one for one in documents() if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def rights(role: str) -> dict[tuple[str, str], list[str]]:
    """Return the verbs of a ClusterRole by API group and resource; a rule limited to names is none of ours."""
    rules = the("ClusterRole", role)["rules"]
    assert all(set(rule) == {"apiGroups", "resources", "verbs"} for rule in rules)
    return {
        (group, resource): rule["verbs"]
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_agent_may_do_what_it_does_and_no_more() -> None:
    """No nodes, no secrets, no deletion, no wildcard: the list is complete, and a change of it is a decision."""
    assert rights("pausewatch-agent") == AGENT_RIGHTS


def test_account_is_bound_to_the_agent_s_role_only() -> None:
    """Whoever has its token has its rights."""
    bindings = [one for one in documents() if one["kind"].endswith("RoleBinding")]

    assert [(one["kind"], one["roleRef"]["name"]) for one in bindings] == [("ClusterRoleBinding", "pausewatch-agent")]
    assert bindings[0]["subjects"] == [{"kind": "ServiceAccount", "name": "pausewatch", "namespace": "pausewatch"}]


def test_token_is_given_to_no_pod_that_does_not_ask() -> None:
    """Another pod in that Kubernetes namespace must not get it by chance."""
    account = the("ServiceAccount", "pausewatch")

    assert account["metadata"]["namespace"] == "pausewatch"
    assert account["automountServiceAccountToken"] is False


def test_namespace_admits_the_agent() -> None:
    """It needs the node's PID namespace and the runtime's socket, which the baseline standard forbids."""
    labels = the("Namespace", "pausewatch")["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"


def test_whoever_may_view_the_cluster_may_read_reports() -> None:
    """By aggregation into the built-in role; it writes nothing."""
    labels = the("ClusterRole", "pausewatch-view")["metadata"]["labels"]

    assert labels["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert rights("pausewatch-view") == {("pausewatch.github.io", "podsandboxreports"): READS}


def test_agent_s_pod_asks_for_what_it_needs_and_no_more() -> None:
    """What is said of the chart, of its defaults: a change of one of these is a decision."""
    (daemon_set,) = [one for one in yaml.safe_load_all(WORKLOAD.read_text()) if one["kind"] == "DaemonSet"]
    pod = daemon_set["spec"]["template"]["spec"]
    (agent,) = pod["containers"]
    (runtime,) = [volume["hostPath"] for volume in pod["volumes"] if "hostPath" in volume]
    (mount,) = [mount for mount in agent["volumeMounts"] if mount["name"].startswith("runtime-")]

    assert pod["hostPID"] is True
    assert not {"hostNetwork", "hostIPC", "initContainers"} & pod.keys()
    assert agent["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]},
        "seccompProfile": {"type": "RuntimeDefault"},
        "appArmorProfile": {"type": "Unconfined"},
    }
    assert runtime == {"path": "/run", "type": "Directory"}
    assert (mount["readOnly"], mount["mountPropagation"]) == (True, "HostToContainer")
    assert agent["resources"] == {"requests": {"cpu": "10m", "memory": "80Mi"}, "limits": {"memory": "128Mi"}}
    assert daemon_set["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == "10%"


def test_agent_may_start_with_the_cpu_time_that_it_asks_for() -> None:
    """On a saturated node it gets no more: about a second of CPU time then takes a hundred."""
    (daemon_set,) = [one for one in yaml.safe_load_all(WORKLOAD.read_text()) if one["kind"] == "DaemonSet"]
    (agent,) = daemon_set["spec"]["template"]["spec"]["containers"]
    probe = agent["startupProbe"]
    start_cpu_seconds = 2
    requested = float(agent["resources"]["requests"]["cpu"].removesuffix("m")) / 1000

    assert probe["periodSeconds"] * probe["failureThreshold"] >= start_cpu_seconds / requested


def test_agent_is_not_sent_to_nodes_that_are_no_machines() -> None:
    """It tolerates every taint, theirs too: its pods would never start there, and no rollout would ever end."""
    (daemon_set,) = [one for one in yaml.safe_load_all(WORKLOAD.read_text()) if one["kind"] == "DaemonSet"]
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = daemon_set["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][required]
    (term,) = affinity["nodeSelectorTerms"]

    assert {(one["key"], one["operator"], *one["values"]) for one in term["matchExpressions"]} == {
        ("type", "NotIn", "virtual-kubelet"),
        ("eks.amazonaws.com/compute-type", "NotIn", "fargate"),
    }


def test_files_are_applied_in_an_order_that_works() -> None:
    """kubectl goes by their names: what lies in a Namespace comes after it."""
    names = sorted(path.name for path in MANIFESTS.glob("*.yaml"))
    first = {
        one["kind"]: names.index(name) for name in names for one in yaml.safe_load_all((MANIFESTS / name).read_text())
    }

    assert first["Namespace"] <= first["ServiceAccount"] < first["DaemonSet"]
    assert first["CustomResourceDefinition"] < first["DaemonSet"]


def test_rights_name_what_the_definition_defines() -> None:
    """A right to a resource of another name is none."""
    spec = yaml.safe_load(SCHEMA.read_text())["spec"]
    defined = {(spec["group"], spec["names"]["plural"]), (spec["group"], f"{spec['names']['plural']}/status")}

    assert {right for right in AGENT_RIGHTS if right[0] == spec["group"]} == defined


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_object_says_whose_it_is(path: Path) -> None:
    """``kubectl get --selector app.kubernetes.io/name=pausewatch`` finds what there is to remove."""
    for one in yaml.safe_load_all(path.read_text()):
        assert one["metadata"]["labels"]["app.kubernetes.io/name"] == "pausewatch"
