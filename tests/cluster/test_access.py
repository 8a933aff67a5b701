"""What the API server says we may, against a server that answers as a test says."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml

from cluster.api_server import Answer, Asked, FakeApi, serving, status_object
from pausewatch.cluster import access
from pausewatch.cluster.access import RIGHTS
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.model.access import AccessFact

NAMES = ("api-server", "api-rights", "report-definition", "own-node-policy")
REPORTS_PATH = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"
REFUSED = status_object(403, "Forbidden", message="ValidatingAdmissionPolicy 'pausewatch-own-node' denied request: no")
NOTHING: Mapping[str, Answer] = MappingProxyType({})


class Cluster:
    """An API server in which an agent may do everything, changed where a test says."""

    def __init__(self, answers: Mapping[str, Answer] = NOTHING, denied: tuple[str, ...] = ()) -> None:
        self.denied = denied
        served: Answer = (200, {"resources": [{"name": "podsandboxreports"}]})
        self.answers: dict[str, Answer] = {
            "GET /apis/pausewatch.github.io/v1alpha1": served,
            f"GET {access.POLICIES}": (200, {"items": [{"metadata": {"name": "pausewatch-own-node"}}]}),
            f"GET {access.BINDINGS}": (200, {"items": [{"spec": {"policyName": "pausewatch-own-node"}}]}),
            **answers,
        }

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        if asked.path.endswith("/selfsubjectaccessreviews"):
            wanted = asked.body["spec"]["resourceAttributes"]
            return 201, {"status": {"allowed": f"{wanted['verb']} {wanted['resource']}" not in self.denied}}
        return self.answers.get(asked.brief, (200, {}))


def facts_of(cluster: Cluster, folder: Path) -> tuple[dict[str, AccessFact], FakeApi]:
    """Ask a server, and return the facts by name."""
    api = FakeApi(answer=cluster.answer)

    async def ask() -> tuple[AccessFact, ...]:
        async with serving(api, folder) as place:
            return await asyncio.to_thread(access.api_access, place)

    return {one.name: one for one in asyncio.run(ask())}, api


def test_everything_granted(tmp_path: Path) -> None:
    """One line each, and nothing was written."""
    facts, api = facts_of(Cluster(), tmp_path)

    assert tuple(facts) == NAMES
    assert [one.name for one in facts.values() if not one.granted] == []
    written = [one.brief for one in api.asked if one.method != "GET" and "review" not in one.path]
    assert written == []


def test_rights_are_those_of_the_manifests() -> None:
    """A right that the agent needs and nobody asks about would be missed in silence."""
    documents = yaml.safe_load_all((Path(__file__).parents[2] / "manifests/rbac.yaml").read_text())
    role = next(one for one in documents if one["kind"] == "ClusterRole" and one["metadata"]["name"].endswith("-agent"))

    granted = {(rule["apiGroups"][0], rule["resources"][0], tuple(rule["verbs"])) for rule in role["rules"]}
    assert set(RIGHTS) == granted


def test_missing_rights_are_named(tmp_path: Path) -> None:
    """Each of them, with what to apply."""
    facts, _ = facts_of(Cluster(denied=("watch pods", "create podsandboxreports")), tmp_path)

    assert facts["api-rights"].detail == "may not watch pods, create podsandboxreports"
    assert "manifests/rbac.yaml" in facts["api-rights"].remedy
    assert facts["api-server"].granted


def test_missing_definition(tmp_path: Path) -> None:
    """The stored report is lost; the remedy says what to apply."""
    gone: Answer = (404, "404 page not found")
    facts, _ = facts_of(Cluster(answers={"GET /apis/pausewatch.github.io/v1alpha1": gone}), tmp_path)

    assert not facts["report-definition"].granted
    assert "manifests/crd.yaml" in facts["report-definition"].remedy


@pytest.mark.parametrize("path", [access.POLICIES, access.BINDINGS])
@pytest.mark.parametrize("answer", [(200, {"items": []}), (404, "404 page not found")], ids=["none", "not served"])
def test_missing_policy(tmp_path: Path, path: str, answer: Answer) -> None:
    """Neither a policy without its binding nor a binding without its policy keeps anybody from anything."""
    facts, _ = facts_of(Cluster(answers={f"GET {path}": answer}), tmp_path)

    assert not facts["own-node-policy"].granted
    assert "manifests/own-node-policy.yaml" in facts["own-node-policy"].remedy


def test_policy_is_known_by_its_label(tmp_path: Path) -> None:
    """The chart calls it by the name of the release: whoever asked for one name was told that there is none."""
    named = {
        f"GET {access.POLICIES}": (200, {"items": [{"metadata": {"name": "east-pausewatch-own-node"}}]}),
        f"GET {access.BINDINGS}": (200, {"items": [{"spec": {"policyName": "east-pausewatch-own-node"}}]}),
    }
    facts, api = facts_of(Cluster(answers=named), tmp_path)

    assert facts["own-node-policy"].detail == "the ValidatingAdmissionPolicy east-pausewatch-own-node and its binding"
    assert [one.query for one in api.asked if one.path == access.POLICIES] == [
        {"labelSelector": "app.kubernetes.io/part-of=pausewatch"}
    ]


@pytest.mark.parametrize(("tried", "granted"), [((403, REFUSED), True), ((201, {}), False)])
def test_agent_that_may_not_read_policies_tries(tmp_path: Path, tried: Answer, granted: bool) -> None:  # noqa: FBT001
    """With a dry run, in the name of a node that is not its own."""
    forbidden: Answer = (403, status_object(403, "Forbidden", message="you may not get policies"))
    answers = {f"GET {access.POLICIES}": forbidden, f"POST {REPORTS_PATH}": tried}
    facts, api = facts_of(Cluster(answers=answers), tmp_path)

    assert facts["own-node-policy"].granted is granted
    (request,) = [one for one in api.asked if one.path == REPORTS_PATH]
    assert request.query == {"dryRun": "All"}


def test_who_may_do_neither_is_told_that_it_can_not_be_told(tmp_path: Path) -> None:
    """Nothing is tried without the right to."""
    forbidden: Answer = (403, status_object(403, "Forbidden", message="you may not get policies"))
    cluster = Cluster(answers={f"GET {access.POLICIES}": forbidden}, denied=("create podsandboxreports",))
    facts, api = facts_of(cluster, tmp_path)

    assert facts["own-node-policy"].detail.startswith("can not be told: ")
    assert [one for one in api.asked if one.path == REPORTS_PATH] == []


def test_server_that_does_not_know_us(tmp_path: Path) -> None:
    """One fact, with what is lost."""
    api = FakeApi(answer=lambda _: (401, status_object(401, "Unauthorized", "Unauthorized")))

    async def ask() -> tuple[AccessFact, ...]:
        async with serving(api, tmp_path) as place:
            return await asyncio.to_thread(access.api_access, place)

    (fact,) = asyncio.run(ask())
    assert (fact.name, fact.granted) == ("api-server", False)
    assert "401" in fact.detail
    assert fact.remedy == "check the token or certificate of the agent"


def test_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    """The file is named."""
    (fact,) = access.api_access(ConnectionPlace(kubeconfig=tmp_path / "none"))

    assert not fact.granted
    assert str(tmp_path / "none") in fact.detail
