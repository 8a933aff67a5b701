"""The own-node policy's very expressions, evaluated with Google's CEL; tests/e2e asks an API server the same."""

from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from contracts.render import REPOSITORY
from pausewatch.sinks.events import CONTROLLER, LONGEST_INSTANCE

POLICY = REPOSITORY / "manifests" / "own-node-policy.yaml"
RBAC = REPOSITORY / "manifests" / "rbac.yaml"
NODE_CLAIM = "authentication.kubernetes.io/node-name"
NAMES_NO_NODE = "this token names no node"
EVENTS_OF_ITS_OWN = "reportingController pausewatch only"

Object = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request of the agent on node-a, unless said otherwise, as the API server hands it to a policy."""

    operation: str
    new: Object | None = None
    old: Object | None = None
    node: str | None = "node-a"
    resource: str = "podsandboxreports"
    user: str = "system:serviceaccount:pausewatch:pausewatch"


def report(node: str) -> Object:
    """Return the report of a node."""
    return {"metadata": {"name": node}, "spec": {"nodeName": node}}


def event(instance: str | None, controller: str = CONTROLLER) -> Object:
    """Return an Event of events.k8s.io, where an empty field is left out."""
    own = {"reportingInstance": instance} if instance is not None else {}
    return {"metadata": {"name": "one", "namespace": "team-a"}, "reportingController": controller, **own}


def core_event(instance: str, component: str = CONTROLLER) -> Object:
    """Return an Event of the core group, where an empty field is there."""
    return {"metadata": {"name": "one"}, "reportingInstance": instance, "reportingComponent": component}


def about_event(operation: str, new: Object | None = None, old: Object | None = None) -> Asked:
    """Return a request about an Event."""
    return Asked(operation, new, old, resource="events")


def policy() -> Object:
    """Return the policy, without its binding."""
    (found,) = [one for one in yaml.safe_load_all(POLICY.read_text()) if one["kind"] == "ValidatingAdmissionPolicy"]
    return found


def evaluate(expression: str, known: Object) -> Any:  # noqa: ANN401  whatever the expression is
    """Return the value of an expression; the API server takes one that can not be evaluated for a refusal.

    Raises:
        AssertionError: It can not be evaluated.
    """
    # The API server has the functions of strings as well (Kubernetes: Common Expression Language in Kubernetes).
    environment = cel.NewEnv(variables=dict.fromkeys(known, cel.Type.DYN), extensions=[ext_strings.ExtStrings()])
    value = environment.compile(expression).eval(data=known)
    assert value.type() != cel.Type.ERROR, f"{expression}: {value.value()}"
    return value.plain_value()


def refusals(asked: Asked) -> list[str] | None:
    """Return what the policy says against a request; None if it is not about this user."""
    user: Object = {"username": asked.user} | ({"extra": {NODE_CLAIM: [asked.node]}} if asked.node is not None else {})
    request = {"operation": asked.operation, "resource": {"resource": asked.resource}, "userInfo": user}
    known: Object = {"request": request, "object": asked.new, "oldObject": asked.old, "variables": {}}
    spec = policy()["spec"]
    if not all(evaluate(one["expression"], known) for one in spec["matchConditions"]):
        return None
    for one in spec["variables"]:
        known["variables"] |= {one["name"]: evaluate(one["expression"], known)}
    return [
        evaluate(one["messageExpression"], known) if "messageExpression" in one else one["message"]
        for one in spec["validations"]
        if not evaluate(one["expression"], known)
    ]


@pytest.mark.parametrize(
    "asked",
    [
        Asked("CREATE", report("node-a")),
        Asked("UPDATE", report("node-a"), report("node-a")),
        Asked("DELETE", old=report("node-a")),
        about_event("CREATE", event("node-a")),
        about_event("UPDATE", event("node-a"), event("node-a")),
        about_event("DELETE", old=event("node-a")),
        about_event("CREATE", core_event("node-a")),
        Asked("CREATE", report("n" * 253), node="n" * 253),
        Asked("CREATE", event("n" * LONGEST_INSTANCE), node="n" * 253, resource="events"),
    ],
    ids=str,
)
def test_agent_writes_what_is_its_own(asked: Asked) -> None:
    """The report of its node, and Events in the name of its node."""
    assert refusals(asked) == []


@pytest.mark.parametrize(
    "asked",
    [
        Asked("CREATE", report("node-b")),
        Asked("UPDATE", report("node-b"), report("node-b")),
        Asked("DELETE", old=report("node-b")),
        about_event("CREATE", event("node-b")),
        about_event("CREATE", core_event("node-b")),
        about_event("UPDATE", event("node-a"), event("node-b")),
        about_event("UPDATE", event("node-b"), event("node-a")),
        about_event("UPDATE", core_event("node-a"), core_event("node-b")),
        about_event("DELETE", old=event("node-b")),
    ],
    ids=str,
)
def test_agent_writes_nothing_of_another_node(asked: Asked) -> None:
    """Neither taking another's Event over nor giving one away is allowed; the message names both nodes."""
    assert refusals(asked) == [f"pausewatch: the agent of node node-a may not write {asked.resource} of node node-b"]


@pytest.mark.parametrize(
    "asked",
    [about_event("CREATE", event(None)), about_event("UPDATE", event("node-a"), core_event(""))],
    ids=["new", "taken over"],
)
def test_event_of_nobody_is_not_the_agent_s(asked: Asked) -> None:
    """Most components leave the field empty."""
    assert refusals(asked) == ["pausewatch: the agent of node node-a may not write events of no node"]


@pytest.mark.parametrize(
    "asked",
    [
        about_event("CREATE", event("node-a", "kubelet")),
        about_event("UPDATE", event("node-a"), event("node-a", "kubelet")),
        about_event("CREATE", core_event("node-a", "kubelet")),
        about_event("CREATE", core_event("node-a", "")),
        about_event("DELETE", old=core_event("node-a", "kubelet")),
    ],
    ids=str,
)
def test_agent_does_not_speak_for_the_kubelet(asked: Asked) -> None:
    """Whose Events name the same node."""
    (said,) = refusals(asked) or []

    assert EVENTS_OF_ITS_OWN in said


@pytest.mark.parametrize("node", [None, ""], ids=["no claim", "an empty one"])
@pytest.mark.parametrize("name", ["node-a", ""], ids=["a node", "no name"])
def test_token_without_node_writes_nothing(node: str | None, name: str) -> None:
    """And is told once what to do, not that it is of another node."""
    (said,) = refusals(Asked("CREATE", report(name), node=node)) or []

    assert NAMES_NO_NODE in said


@pytest.mark.parametrize("user", ["kubernetes-admin", "system:node:node-b", "system:serviceaccount:pausewatch:default"])
def test_others_are_none_of_its_business(user: str) -> None:
    """What they may write is for their own rights to say."""
    assert refusals(Asked("UPDATE", report("node-b"), report("node-b"), user=user)) is None


def test_policy_is_about_the_agent_s_account() -> None:
    """With another name in one of the two manifests it would be about nobody."""
    (account,) = [one for one in yaml.safe_load_all(RBAC.read_text()) if one["kind"] == "ServiceAccount"]
    own = f"system:serviceaccount:{account['metadata']['namespace']}:{account['metadata']['name']}"

    assert refusals(Asked("CREATE", report("node-a"), user=own)) == []


def test_policy_is_in_force_and_refuses_what_it_can_not_judge() -> None:
    """A policy without binding, or one that only warns, protects nothing."""
    (binding,) = [one for one in yaml.safe_load_all(POLICY.read_text()) if one["kind"].endswith("Binding")]

    assert binding["spec"]["policyName"] == policy()["metadata"]["name"]
    assert "Deny" in binding["spec"]["validationActions"]
    assert not {"matchResources", "paramRef"} & binding["spec"].keys()
    assert policy()["spec"]["failurePolicy"] == "Fail"


def test_policy_is_about_all_that_the_agent_may_write() -> None:
    """Each right of the ClusterRole to change something is limited to its node."""
    rules = policy()["spec"]["matchConstraints"]["resourceRules"]
    limited = {(group, resource) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]}
    role = next(one for one in yaml.safe_load_all(RBAC.read_text()) if one["kind"] == "ClusterRole")
    writable = {
        (group, resource.replace("/status", "/*"))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if {*rule["verbs"]} - {"get", "list", "watch"}
    }

    assert writable <= limited
    assert all(rule["operations"] == ["CREATE", "UPDATE", "DELETE"] for rule in rules)
    assert all(rule["apiVersions"] == ["*"] for rule in rules)
