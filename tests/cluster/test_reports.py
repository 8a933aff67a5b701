import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.api_server import Answer, Asked, FakeApi, asking, status_object
from pausewatch.cluster.errors import ApiError
from pausewatch.cluster.reports import NodeReports
from pausewatch.sinks.report import render
from support.reports import a_report

REPORTS = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"
REVIEW = "POST /apis/authentication.k8s.io/v1/selfsubjectreviews"
NODE = "GET /api/v1/nodes/node-7"
CLAIMS = {
    "authentication.kubernetes.io/node-name": ["node-7"],
    "authentication.kubernetes.io/node-uid": ["uid-of-the-node"],
}


def run(
    answers: dict[str, Answer], folder: Path, act: Callable[[NodeReports], Awaitable[Any]]
) -> tuple[dict[str, Asked], Any]:
    """Act on the report of node-7; return the requests by their first line, and what came of it."""
    api = FakeApi(lambda asked: answers.get(asked.brief, (200, {})))

    async def act_there() -> Any:  # noqa: ANN401  whatever the act returns
        async with asking(api, folder) as client:
            return await act(NodeReports(api=client, node_name="node-7"))

    result = asyncio.run(act_there())
    return {asked.brief: asked for asked in api.asked}, result


def review(claims: dict[str, list[str]]) -> Answer:
    """Return what the API server says about us."""
    return (201, {"status": {"userInfo": {"username": "agent", "extra": claims}}})


def owners(answers: dict[str, Answer], folder: Path) -> list[dict[str, str]]:
    """Create the report and return the owners it was given."""
    asked, _ = run(answers, folder, lambda reports: reports.create(render(a_report())))
    found: list[dict[str, str]] = asked[f"POST {REPORTS}"].body["metadata"].get("ownerReferences", [])
    return found


def test_missing_report_is_none(tmp_path: Path) -> None:
    """A new node has none."""
    answers: dict[str, Answer] = {f"GET {REPORTS}/node-7": (404, status_object(404, "NotFound", name="node-7"))}

    assert run(answers, tmp_path, lambda reports: reports.read())[1] is None


def test_missing_definition_is_an_error(tmp_path: Path) -> None:
    """Otherwise the agent would try to create a report of a kind that there is not."""
    with pytest.raises(ApiError) as caught:
        run({f"GET {REPORTS}/node-7": (404, "404 page not found")}, tmp_path, lambda reports: reports.read())

    assert caught.value.resource_unknown


def test_owner_is_the_node_of_our_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The report goes with its Node; no right to read Nodes is needed."""
    found = owners({REVIEW: review(CLAIMS)}, tmp_path)

    assert found == [{"apiVersion": "v1", "kind": "Node", "name": "node-7", "uid": "uid-of-the-node"}]
    assert caplog.messages == []


def test_owner_is_read_where_the_token_names_no_node(tmp_path: Path) -> None:
    """An administrator's kubeconfig, or Kubernetes before 1.30."""
    found = owners({REVIEW: review({}), NODE: (200, {"metadata": {"uid": "read"}})}, tmp_path)

    assert [one["uid"] for one in found] == ["read"]


def test_token_of_another_node_names_no_owner(tmp_path: Path) -> None:
    """The garbage collector would remove a report whose owner is not there."""
    other = CLAIMS | {"authentication.kubernetes.io/node-name": ["node-8"]}

    assert owners({REVIEW: review(other), NODE: (403, status_object(403, "Forbidden"))}, tmp_path) == []


def test_report_without_owner_is_better_than_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An API server that knows neither way; what follows, and what to do, is told."""
    assert owners({REVIEW: (404, "404 page not found"), NODE: (403, status_object(403, "Forbidden"))}, tmp_path) == []

    (line,) = caplog.messages
    assert "report node-7 is created without an owner" in line
    assert "will stay when the Node is gone" in line


def test_created_object_has_no_status(tmp_path: Path) -> None:
    """It would be dropped: the status is a resource of its own."""
    asked, _ = run({}, tmp_path, lambda reports: reports.create(render(a_report())))

    assert asked[f"POST {REPORTS}"].body == {
        "apiVersion": "pausewatch.github.io/v1alpha1",
        "kind": "PodSandboxReport",
        "metadata": {"name": "node-7"},
        "spec": {"nodeName": "node-7"},
    }


def test_status_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """What is left out must not survive from an older write."""
    asked, _ = run({}, tmp_path, lambda reports: reports.replace_status({"findings": []}))

    request = asked[f"PATCH {REPORTS}/node-7/status"]
    assert request.body == [{"op": "add", "path": "/status", "value": {"findings": []}}]
    assert request.headers["Content-Type"] == "application/json-patch+json"
