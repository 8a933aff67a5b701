"""A cluster whose others do not leave the agent's things alone: a second agent, foreign reports, other definitions.

A token of another node is refused in `test_own_node_policy.py`.
"""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import yaml

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import REPORTS, creations, now, requests_since, writes
from e2e.support.faulty import run_forgetful
from e2e.support.installation import CRD, bare_report, install_crd, install_rbac, remove_crd
from e2e.support.intruder import (
    FAR_AHEAD,
    MUTATED,
    ROLE,
    cluster_role_rules,
    demanding,
    edit,
    garbage,
    mutating,
    node_owner,
    schema,
    set_status,
    without_finalizers_afterwards,
)
from e2e.support.node_report import Report, await_report, condition, findings, is_healthy
from e2e.support.node_tokens import more_nodes
from e2e.support.workloads import delete
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.sinks.events import SERIES_SECONDS

pytestmark = pytest.mark.timeout(600)

WAIT_SECONDS = 120.0
"""For what comes within seconds on an idle machine."""

QUIET_SCANS = 5
"""So many without a write show that there is no loop: at this pace a change may be written with each scan."""

OTHER_NODE = "node-b"
FINALIZER = "somebody.example/holds-it"
ZOMBIES = "ZombieBuildup Warning"


@pytest.fixture
def definition(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """The definition of reports, to be changed and applied; the right one is installed again afterwards."""
    yield yaml.safe_load(CRD.read_text(encoding="utf-8"))
    # A version that was ever stored may not be taken away: only a new definition is without it.
    remove_crd(cluster)
    install_crd(cluster)


def test_two_agents_of_one_node(cluster: Cluster, start_agent: StartAgent) -> None:
    """As a rollout with an overlap, or a second installation: the report tells a fault once and its end once.

    Neither is fooled by the other's writes, neither writes over them; what both tell within ten minutes is one Event.
    """
    cluster.run(Pod("stays"))
    agents = [start_agent(), start_agent()]
    await_report(cluster, agents[0], "that is healthy", is_healthy)
    for agent in agents:
        agent.await_scans(2)
    began = now()
    forgetful = run_forgetful(cluster)
    verdicts: list[str] = []

    watch_report(cluster, agents, "the zombies", verdicts, lambda agent: agent.metrics().findings().get(ZOMBIES))
    watch_scans(cluster, agents, verdicts)
    told = len(written(cluster, began))
    delete(cluster, "forgetful", force=True)
    watch_report(cluster, agents, "their end", verdicts, lambda agent: not agent.metrics().findings_about_pods())
    await_report(cluster, agents[1], "that is healthy again", is_healthy)
    watch_scans(cluster, agents, verdicts)

    assert [one for one, before in zip(verdicts, ["", *verdicts], strict=False) if one != before] == [
        *("True", "False", "True")
    ]
    # First as information, then as a warning; by both at the same moment, at worst.
    assert told <= 2 * len(agents)
    assert len(written(cluster, began)) - told <= len(agents)
    assert all(agent.troubles() == {} for agent in agents)
    events = json.loads(cluster.kubectl("get", "events.v1.events.k8s.io", "--namespace=lab", "--output=json"))["items"]
    found = [
        datetime.fromisoformat(one["eventTime"])
        for one in events
        if one["regarding"].get("uid") == forgetful.uid
        and (one["type"], one["reportingController"]) == ("Warning", "pausewatch")
    ]
    assert len(found) == len({one.timestamp() // SERIES_SECONDS for one in found}) > 0
    posted = [agent.metrics().total("pausewatch_events_posted_total") for agent in agents]
    assert posted == [1, 1]


def test_report_that_somebody_else_made(cluster: Cluster, start_agent: StartAgent) -> None:
    """Its status is put right; what the agent may not change is told with what to do, until somebody has done it."""
    with more_nodes(cluster, OTHER_NODE), without_finalizers_afterwards(cluster):
        foreign = bare_report(cluster.node_name)
        foreign["metadata"] |= {
            "finalizers": [FINALIZER],
            "annotations": {"somebody.example/note": "x" * 200_000},
            "ownerReferences": [node_owner(cluster, OTHER_NODE)],
        }
        cluster.kubectl("create", "--filename=-", stdin=json.dumps(foreign))
        set_status(cluster, garbage())
        run_forgetful(cluster)
        began = now()
        agent = start_agent()

        report = await_report(cluster, agent, "of the zombies", tells_zombies)
        assert "made-up" not in json.dumps(report["status"])
        assert FAR_AHEAD not in json.dumps(report["status"])
        assert condition(report, "Healthy") == "False"
        remarked(agent, "ReportHeldByFinalizer", FINALIZER)
        edit(cluster, {"finalizers": None})
        remarked(agent, "ReportWithOtherOwner", f"Node/{OTHER_NODE}")
        edit(cluster, {"ownerReferences": [node_owner(cluster, cluster.node_name)]})
        remarked(agent, "ReportMetadataLarge", "bytes of metadata")
        edit(cluster, {"annotations": None})
        agent.log_line("the stored report is as it should be again", limit_seconds=WAIT_SECONDS)
        agent.wait("no trouble", lambda: not agent.troubles(), WAIT_SECONDS)
        assert len(written(cluster, began)) <= 2

        edit(cluster, {"ownerReferences": [node_owner(cluster, cluster.node_name) | {"uid": "nobody-s"}]})
        right = [node_owner(cluster, cluster.node_name)["uid"]]
        after = await_report(
            cluster,
            agent,
            "that is owned by the Node, after the garbage collector took the other one",
            lambda one: findings(one) and [owner["uid"] for owner in one["metadata"]["ownerReferences"]] == right,
            WAIT_SECONDS,
        )
        assert after["metadata"]["uid"] != report["metadata"]["uid"]
        assert "storedReport" not in agent.troubles()


def test_definition_of_an_older_version(cluster: Cluster, start_agent: StartAgent, definition: dict[str, Any]) -> None:
    """What it lacks is dropped by the API server: the rest is written, once, and the agent says what is missing."""
    status = schema(definition)["properties"]["status"]
    del status["properties"]["runtime"]
    coverage, finding = status["properties"]["coverage"], status["properties"]["findings"]["items"]
    del coverage["properties"]["ignoredFindings"], finding["properties"]["evidence"]
    coverage["required"].remove("ignoredFindings")
    cluster.apply(definition)
    agent = start_agent()
    run_forgetful(cluster)

    report = await_report(cluster, agent, "of the zombies", tells_zombies)
    assert "evidence" not in findings(report)[0]
    for place in ("status.runtime", "status.coverage.ignoredFindings"):
        remarked(agent, "ReportChangedOnTheWay", f"{place} is dropped")
    # The log has it only if the first report that was written told of the zombies: the reason is no news then.
    shown(agent, "ReportChangedOnTheWay", "status.findings[].evidence is dropped")
    assert "bring the CustomResourceDefinition" in agent.readiness()["troubles"]["storedReport"]["remedy"]
    assert_writes_nothing(cluster, agent)


def test_definition_of_a_newer_version(cluster: Cluster, start_agent: StartAgent, definition: dict[str, Any]) -> None:
    """Stored as another version: works. Asks for more than the agent writes, or serves its version no more: said."""
    cluster.run(Pod("stays"))
    agent = start_agent()
    await_report(cluster, agent, "that is healthy", is_healthy)
    newer = copy.deepcopy(definition["spec"]["versions"][0]) | {"name": "v1beta1"}
    demanding(newer)
    (ours,) = definition["spec"]["versions"]
    ours["storage"] = False
    definition["spec"]["versions"].append(newer)
    cluster.apply(definition)
    run_forgetful(cluster)
    await_report(cluster, agent, "of the zombies", tells_zombies)
    agent.wait("no trouble", lambda: not agent.troubles(), WAIT_SECONDS)

    demanding(ours)
    cluster.apply(definition)
    delete(cluster, "forgetful", force=True)
    line = agent.log_line("the report is not written", "status.verdict", limit_seconds=WAIT_SECONDS)
    assert "bring the CustomResourceDefinition of PodSandboxReport and the agent to one version" in line

    ours["served"] = False
    cluster.apply(definition)
    agent.wait("that to be told", lambda: agent.troubles().get("report") == "ResourceUnknown", WAIT_SECONDS)
    assert "have it serve the version in that path" in agent.readiness()["troubles"]["report"]["remedy"]
    assert agent.page("/healthz").status == 200

    remove_crd(cluster)
    install_crd(cluster)
    await_report(cluster, agent, "of the right definition", is_healthy, 2 * WAIT_SECONDS)


def test_admission_that_changes_the_report(cluster: Cluster, start_agent: StartAgent) -> None:
    """A policy that rewrites what the agent writes: it is not written again and again, and the agent says so."""
    cluster.kubectl("create", "--filename=-", stdin=json.dumps(bare_report(cluster.node_name)))
    with mutating(cluster):
        agent = start_agent()
        report = await_report(cluster, agent, "that was changed", lambda _: True)
        assert report["status"]["truncatedFindings"] == MUTATED
        remarked(agent, "ReportChangedOnTheWay", "status.truncatedFindings is changed")
        assert_writes_nothing(cluster, agent)
    run_forgetful(cluster)
    after = await_report(cluster, agent, "as it was sent", tells_zombies)

    assert after["status"]["truncatedFindings"] == 0


def test_neither_events_nor_a_new_report_are_allowed(cluster: Cluster, start_agent: StartAgent) -> None:
    """Both are told; findings are in the metrics all the while, and in the report once it may be made."""
    rules = cluster_role_rules()
    less = [one for one in rules if one["apiGroups"] != ["events.k8s.io"]]
    for one in less:
        one["verbs"] = [verb for verb in one["verbs"] if verb != "create"]
    assert less != cluster_role_rules()
    cluster.kubectl("patch", "clusterrole", ROLE, "--type=merge", f"--patch={json.dumps({'rules': less})}")
    run_forgetful(cluster)
    began = now()
    agent = start_agent()

    agent.wait("both to be told", lambda: told_forbidden(agent) == {"report", "events"}, WAIT_SECONDS)
    agent.await_scans(QUIET_SCANS)
    assert agent.metrics().findings_about_pods() == ["ZombieBuildup lab/forgetful"]
    assert agent.metrics().total("pausewatch_events_dropped_total", reason="Refused") == 1
    assert len(creations(requests_since(cluster, began))) <= 6

    install_rbac(cluster)
    await_report(cluster, agent, "of the zombies", tells_zombies)


def watch_scans(cluster: Cluster, agents: list[Agent], verdicts: list[str]) -> None:
    """Watch the report while each agent scans some times more."""
    targets = {agent.log_file: agent.scans() + QUIET_SCANS for agent in agents}
    watch_report(cluster, agents, "more scans", verdicts, lambda agent: agent.scans() >= targets[agent.log_file])


def watch_report(
    cluster: Cluster, agents: list[Agent], what: str, verdicts: list[str], holds: Callable[[Agent], object]
) -> None:
    """Wait until something holds for each agent, and note meanwhile what the report says of the node's health."""

    def probe() -> bool:
        verdicts.append(condition(await_report(cluster, agents[0], "at all", lambda _: True), "Healthy"))
        return all(holds(agent) for agent in agents)

    agents[0].wait(what, probe, WAIT_SECONDS)


def tells_zombies(report: Report) -> bool:
    """Whether zombies are told, and not only for information, as they are at first."""
    return [one["severity"] for one in findings(report, "zombie-buildup")] == ["Warning"]


def written(cluster: Cluster, began: datetime) -> list[str]:
    """When a status was written since then, by whichever agent."""
    path = f"{REPORTS}/{cluster.node_name}/status"
    return [str(one.time) for one in writes(requests_since(cluster, began)) if one.uri.startswith(path)]


def assert_writes_nothing(cluster: Cluster, agent: Agent) -> None:
    """Hold an agent to some scans without a write of any kind.

    News of the node, such as a shim that ended, is written once: who writes in a loop has no quiet time in a minute.

    Raises:
        WaitTimeoutError: There was a write in each of the times.
    """

    def is_quiet() -> bool:
        began = now()
        agent.await_scans(QUIET_SCANS)
        return not any(one.uri.startswith(REPORTS) for one in writes(requests_since(cluster, began)))

    agent.await_scans(2)
    wait_until("scans without a write", is_quiet, WAIT_SECONDS)


def remarked(agent: Agent, reason: str, text: str) -> None:
    """Wait until the agent says what is odd about the stored report, on its page and in its log."""
    shown(agent, reason, text)
    agent.log_line("the stored report is not as it should be", text)


def shown(agent: Agent, reason: str, text: str) -> None:
    """Wait until the agent's page says what is odd about the stored report."""

    def told() -> bool:
        trouble = agent.readiness()["troubles"].get("storedReport", {})
        return trouble.get("reason") == reason and text in trouble["detail"]

    agent.wait(f"{reason} with {text}", told, WAIT_SECONDS)


def told_forbidden(agent: Agent) -> set[str]:
    """What the agent may not do, by its page."""
    return {name for name, reason in agent.troubles().items() if reason == "Forbidden"}
