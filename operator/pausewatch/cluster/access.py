"""What the API server lets us do, asked of itself: whether an agent could work with this kubeconfig or token.

Nothing is written. Rights are asked for with SelfSubjectAccessReview (authorization.k8s.io/v1), which everybody may
create for themselves; whether the own-node policy is in force with a request of which the server only tells what would
have come of it (``dryRun=All``, which admission takes part in).
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.errors import FORBIDDEN, NOT_FOUND, REFUSED_BY_POLICY, ApiError
from pausewatch.model.access import AccessFact
from pausewatch.model.text import printable

GROUP = "pausewatch.github.io"
VERSION = "v1alpha1"
REPORTS = "podsandboxreports"

RIGHTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("", "pods", ("get", "list", "watch")),
    ("", "events", ("list",)),
    ("events.k8s.io", "events", ("create", "patch")),
    (GROUP, REPORTS, ("get", "list", "watch", "create")),
    (GROUP, f"{REPORTS}/status", ("patch",)),
)
"""Group, resource and verbs: the agent's ClusterRole in manifests/rbac.yaml, which a test compares."""

POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
OURS = {"labelSelector": "app.kubernetes.io/part-of=pausewatch"}
"""Of every object that the chart and the manifests make: the names of a chart's objects follow from its release's."""

NOBODYS_NODE = "pausewatch-doctor-asks-about-this"
"""A name that no Node has: a report of it is what the policy has to refuse."""

LOST_WITHOUT_SERVER = (
    "pods that are gone or wait for a sandbox (orphaned-sandbox, sandbox-create-failing, sandbox-stuck-terminating),"
    " the stored report, and Events"
)


def api_access(place: ConnectionPlace) -> tuple[AccessFact, ...]:
    """Return what the API server that ``place`` names lets us do, asking it now."""
    return asyncio.run(_asked(place))


async def _asked(place: ConnectionPlace) -> tuple[AccessFact, ...]:
    client = ApiClient(place)
    try:
        try:
            missing = await _missing_rights(client)
        except ApiError as error:
            lost = _lost("api-server", str(error), LOST_WITHOUT_SERVER, error.remedy or "try again later")
            return (lost,)
        return (
            AccessFact(name="api-server", granted=True, detail=f"answers, by {place}"),
            _rights(missing),
            await _definition(client),
            await _policy(client, may_create=f"create {REPORTS}" not in missing),
        )
    finally:
        await client.close()


async def _missing_rights(client: ApiClient) -> tuple[str, ...]:
    """Return the rights of an agent that we lack.

    Raises:
        ApiError: The server does not answer, or does not know us.
    """
    wanted = [(group, resource, verb) for group, resource, verbs in RIGHTS for verb in verbs]
    allowed = await asyncio.gather(*(_is_allowed(client, *one) for one in wanted))
    return tuple(
        f"{verb} {resource}" for (_, resource, verb), granted in zip(wanted, allowed, strict=True) if not granted
    )


async def _is_allowed(client: ApiClient, group: str, resource: str, verb: str) -> bool:
    kind, _, subresource = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": kind, "subresource": subresource}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await client.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
    return bool(_status(answer).get("allowed"))


def _status(answer: dict[str, Any]) -> dict[str, Any]:
    status = answer.get("status")
    return status if isinstance(status, dict) else {}


def _rights(missing: Iterable[str]) -> AccessFact:
    told = ", ".join(missing)
    if not told:
        return AccessFact(name="api-rights", granted=True, detail="all that an agent asks for")
    remedy = "grant what the ClusterRole in the manifests lists: kubectl apply -f manifests/rbac.yaml"
    return _lost("api-rights", f"may not {told}", "what an agent does with them", remedy)


async def _definition(client: ApiClient) -> AccessFact:
    name = "report-definition"
    path = f"/apis/{GROUP}/{VERSION}"
    try:
        served = await client.request("GET", path)
    except ApiError as error:
        lost = "the stored report: findings are in the log and the metrics of an agent only"
        return _lost(name, str(error), lost, error.remedy or "try again later")
    resources = served.get("resources")
    names = [one.get("name") for one in resources if isinstance(one, dict)] if isinstance(resources, list) else []
    detail = f"{path} is served" + ("" if REPORTS in names else f", without {REPORTS}")
    return AccessFact(name=name, granted=True, detail=detail)


async def _policy(client: ApiClient, *, may_create: bool) -> AccessFact:
    """Return whether something keeps an agent from writing the report of another node.

    Who may read policies is told by reading; an agent may not, so it tries, and is refused or not.
    """
    name = "own-node-policy"
    try:
        policies = await client.request("GET", POLICIES, query=OURS)
        bindings = await client.request("GET", BINDINGS, query=OURS)
    except ApiError as error:
        if error.status == NOT_FOUND:
            return _unguarded("there is no ValidatingAdmissionPolicy in this version of Kubernetes")
        if error.status != FORBIDDEN or not may_create:
            return _lost(name, f"can not be told: {error}", "nothing by itself", "ask with the rights to read policies")
    else:
        names = {one["metadata"]["name"] for one in policies.get("items") or ()}
        bound = sorted(names & {one["spec"]["policyName"] for one in bindings.get("items") or ()})
        if not bound:
            return _unguarded("there is no ValidatingAdmissionPolicy of pausewatch, or no binding of it")
        detail = f"the ValidatingAdmissionPolicy {printable(bound[0])} and its binding"
        return AccessFact(name=name, granted=True, detail=detail)
    return await _tried(client)


async def _tried(client: ApiClient) -> AccessFact:
    name = "own-node-policy"
    report = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "PodSandboxReport",
        "metadata": {"name": NOBODYS_NODE},
        "spec": {"nodeName": NOBODYS_NODE},
    }
    try:
        await client.request("POST", f"/apis/{GROUP}/{VERSION}/{REPORTS}", query={"dryRun": "All"}, body=report)
    except ApiError as error:
        if error.status == FORBIDDEN and REFUSED_BY_POLICY in str(error):
            return AccessFact(name=name, granted=True, detail="a report of another node is refused")
        return _lost(name, f"can not be told: {error}", "nothing by itself", error.remedy or "try again later")
    return _unguarded("a report of a node that is not ours would be taken")


def _unguarded(detail: str) -> AccessFact:
    lost = "that an agent writes the report of its own node only: whoever takes one over can write them all"
    return _lost("own-node-policy", detail, lost, "kubectl apply -f manifests/own-node-policy.yaml")


def _lost(name: str, detail: str, lost: str, remedy: str) -> AccessFact:
    return AccessFact(name=name, granted=False, detail=detail, lost=lost, remedy=remedy)
