"""Without the API server, its definitions or rights, the agent keeps what it can, says the rest, and recovers."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from e2e.conftest import StartAgent
from e2e.support import installation
from e2e.support.agent import Agent
from e2e.support.api_requests import PODS, REPORTS, now, requests_since
from e2e.support.node_report import Report, await_report, findings, is_healthy, read_report
from e2e.support.pace import DEFAULT, FAST, Pace
from e2e.support.wire import Wire, through
from e2e.support.workloads import delete
from lab.pods import Pod
from lab.shapes.api_server_faults import forget_history
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.agent.kopf_operator import LONGEST_BACKOFF_EXPONENT

FULL_OUTAGE = "E2E_FULL_OUTAGE"
"""Set in the environment to let the API server be away for ten minutes, with all settings at their defaults."""

LONGEST_WAIT_SECONDS = float(2**LONGEST_BACKOFF_EXPONENT)
"""Between two attempts of the watch, however long the API server is away. Its first success wakes the writer."""

KUBECTL_SECONDS = 5.0
"""For the test itself to see what is stored, on a busy machine."""

OUTAGES = 12 if os.environ.get(FULL_OUTAGE) else 2
WARM_UP_OUTAGES = 2
"""Until every part of the program has been used once."""

NOTICED_BY = {"pods", "report"} if os.environ.get(FULL_OUTAGE) else {"report"}
"""The watch has to notice it at full length only: after one that did not last, the next one waits, up to 30 s."""

FIRST_OUTAGE_MIB = 8.0
"""How much the agent may grow by its first outage: what it uses for the first time then stays."""

MOST_GROWTH_MIB = 3.0
"""Of resident memory, in so many outages after the first ones."""


@dataclass(frozen=True, kw_only=True)
class Outage:
    """How long the API server is away, and how fast the agent works meanwhile."""

    name: str
    seconds: float
    pace: Pace

    @property
    def recovered_within_seconds(self) -> float:
        """How soon after its return the stored report has to be written again: two periods.

        Waits are no setting: where a period takes a second instead of half a minute, the longest one is added.
        """
        wait_seconds = 0 if self.pace == DEFAULT else LONGEST_WAIT_SECONDS
        return wait_seconds + 2 * self.pace.scan_period_seconds + KUBECTL_SECONDS


TEN_MINUTES = Outage(name="10 minutes", seconds=600, pace=DEFAULT)
TEN_SECONDS = Outage(name="10 s", seconds=10, pace=replace(FAST, report_heartbeat_seconds=4))
"""With the start of the API server and what is done before the agent reaches it again, half a minute: the waits between
two attempts have grown to what they are after ten minutes, or to half of that."""

OUTAGE = TEN_MINUTES if os.environ.get(FULL_OUTAGE) else TEN_SECONDS


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("outage", [OUTAGE], ids=lambda one: one.name)
def test_outage_of_the_api_server(cluster: Cluster, start_agent: StartAgent, kubeconfig: Path, outage: Outage) -> None:
    """The API server is down, and back with its history forgotten; pods are deleted before the agent may reach it.

    The scan goes on all the time. Afterwards each watch is told 410, the report is right within two periods, the one
    true orphan is told in its time, and nobody else is called one.
    """
    for name in ("stays", "deleted", "orphan"):
        cluster.run(Pod(name))
    with Wire(cluster.places.certificates.server) as wire:
        agent = start_agent(outage.pace, kubeconfig=through(wire, kubeconfig))
        before = await_report(cluster, agent, "that is healthy", is_healthy)
        memory_mib = agent.resident_mib()
        wire.cut()
        # A revision that the agent does not know.
        cluster.kubectl("label", "namespace", "lab", f"outage={outage.seconds:g}", "--overwrite")
        cluster.stop_api_server()

        ends = time.monotonic() + outage.seconds
        scans = agent.scans()
        agent.wait("the end of the outage", lambda: no_finding(agent) and time.monotonic() > ends, outage.seconds + 5)
        assert agent.scans() - scans >= outage.seconds / outage.pace.scan_period_seconds / 2
        assert agent.page("/healthz").status == 200
        assert agent.troubles().keys() & {"pods", "report"}

        oldest = forget_history(cluster)
        cluster.start_api_server()
        cluster.restart_clients()
        delete(cluster, "deleted", force=True)
        wait_until("the kubelet to end what was deleted", lambda: not is_ready(cluster, "deleted"), 60)
        cluster.stop_kubelet()
        delete(cluster, "orphan", force=True)
        mended = now()
        wire.mend()

        is_right = is_right_since(mended, as_in=before)
        again = await_report(cluster, agent, "after the outage", is_right, outage.recovered_within_seconds)
        agent.wait("the agent to have all it needs", lambda: not agent.troubles(), outage.recovered_within_seconds)
        relisted = "both watches to list again"
        agent.wait(relisted, lambda: has_listed_again(cluster, mended), outage.recovered_within_seconds)
        assert_was_told_410(cluster, mended, oldest)
        assert agent.resident_mib() <= memory_mib + FIRST_OUTAGE_MIB
        limit_seconds = LONGEST_WAIT_SECONDS + outage.pace.found_within_seconds("orphaned-sandbox")
        after = await_report(cluster, agent, "of an orphan", orphans, limit_seconds)
        agent.await_scans(3)

    assert orphans(after) == ["orphan"]
    assert agent.metrics().findings_about_pods() == ["OrphanedSandbox lab/orphan"]
    assert after["metadata"]["uid"] == again["metadata"]["uid"] == before["metadata"]["uid"]
    assert agent.troubles() == {}


@pytest.mark.timeout(900)
def test_one_outage_after_the_other(cluster: Cluster, start_agent: StartAgent, kubeconfig: Path) -> None:
    """The agent recovers from each, and does not grow."""
    cluster.run(Pod("stays"))
    with Wire(cluster.places.certificates.server) as wire:
        agent = start_agent(replace(FAST, report_heartbeat_seconds=1), kubeconfig=through(wire, kubeconfig))
        await_report(cluster, agent, "that is healthy", is_healthy)
        sizes_mib = []
        for _ in range(WARM_UP_OUTAGES + OUTAGES):
            wire.cut()
            agent.wait("the outage to be noticed", lambda: agent.troubles().keys() >= NOTICED_BY, 60)
            wire.mend()
            agent.wait("the agent to have all it needs", lambda: no_finding(agent) and not agent.troubles(), 60)
            sizes_mib.append(agent.resident_mib())

    print(f"MiB after each outage: {sizes_mib}")  # noqa: T201  shown with a failure
    assert sizes_mib[-1] <= sizes_mib[WARM_UP_OUTAGES - 1] + MOST_GROWTH_MIB


def test_api_server_that_hangs(cluster: Cluster, start_agent: StartAgent) -> None:
    """A server that accepts connections and answers nothing: from the start, and again when all was well.

    It is told, and holds up neither the first scan, nor the others, nor the end of the agent.
    """
    cluster.run(Pod("stays"))
    cluster.pause_api_server()
    agent = start_agent()
    agent.log_line("the report is not written")
    agent.wait("the first scan", lambda: agent.scans() >= 1, 60)
    assert agent.troubles()["report"] == "Timeout"
    assert agent.metrics().total("pausewatch_report_write_errors_total") >= 1

    cluster.resume_api_server()
    await_report(cluster, agent, "that is healthy", is_healthy, 60)
    cluster.pause_api_server()
    agent.await_scans(4)

    assert no_finding(agent)
    assert agent.page("/healthz").status == 200
    agent.stop()


def test_definition_is_installed_after_the_agent(cluster: Cluster, start_agent: StartAgent) -> None:
    """Without the definition of reports, findings are in the metrics; once it is there, so is the report."""
    installation.remove_crd(cluster)
    cluster.run(Pod("stays"))
    agent = start_agent()

    line = agent.log_line("the report is not written", "CustomResourceDefinition")
    assert "install the CustomResourceDefinition of PodSandboxReport: kubectl apply -f manifests/crd.yaml" in line
    agent.await_scans(2)
    assert agent.page("/readyz").status == 200
    assert agent.troubles()["report"] == "ResourceUnknown"
    assert agent.metrics().samples("pausewatch_findings")

    installation.install_crd(cluster)
    report = await_report(cluster, agent, "once it is possible", is_healthy)
    agent.log_line("the report can be written again")
    # The watch is complete too: a deleted report comes back at once.
    wait_until_without_trouble(agent)
    cluster.kubectl("delete", "psr", cluster.node_name)
    again = await_report(cluster, agent, "after its deletion", is_healthy, 10)
    assert again["metadata"]["uid"] != report["metadata"]["uid"]


def test_definition_is_deleted_and_made_again(cluster: Cluster, start_agent: StartAgent) -> None:
    """Every report goes with it; once it is back, so is the report, and the watch of it: no restart, no orphan."""
    cluster.run(Pod("stays"))
    agent = start_agent()
    before = await_report(cluster, agent, "that is healthy", is_healthy)
    installation.remove_crd(cluster)
    agent.log_line("the report is not written", "kubectl apply -f manifests/crd.yaml", limit_seconds=30)
    agent.await_scans(3)
    assert no_finding(agent)
    assert agent.page("/healthz").status == 200

    installation.install_crd(cluster)
    after = await_report(cluster, agent, "of the new definition", is_healthy)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    wait_until_without_trouble(agent)
    agent.await_scans(3)
    # Only a watch of the new definition tells of this before the next heartbeat, ten minutes later.
    edit = '{"status": {"truncatedFindings": 7}}'
    cluster.kubectl("patch", "psr", cluster.node_name, "--subresource=status", "--type=merge", f"--patch={edit}")
    await_report(cluster, agent, "that is ours again", lambda one: not one["status"].get("truncatedFindings"), 15)


def test_rights_are_granted_after_the_start(cluster: Cluster, start_agent: StartAgent) -> None:
    """Without rights the agent says which, skips what needs the API, and invents no orphan; granted, it recovers."""
    installation.revoke(cluster)
    cluster.run(Pod("stays"))
    agent = start_agent()

    line = agent.log_line("the report is not written", "Forbidden")
    assert "grant the agent what its ClusterRole in the manifests lists: kubectl apply -f manifests/rbac.yaml" in line
    agent.await_scans(3)
    assert no_finding(agent)
    assert agent.page("/readyz").status == 200
    assert agent.troubles()["report"] == "Forbidden"
    assert "pods" in agent.troubles()
    assert read_report(cluster) is None

    installation.install_rbac(cluster)
    report = await_report(cluster, agent, "once it is allowed", lambda _: True)
    assert findings(report) == []
    wait_until_without_trouble(agent)
    await_report(cluster, agent, "with all checks", lambda one: not one["status"]["coverage"]["skippedChecks"], 10)


def test_kubeconfig_is_mended_after_the_start(
    cluster: Cluster, start_agent: StartAgent, kubeconfig: Path, tmp_path: Path
) -> None:
    """A kubeconfig that can not be used is named in the log; replaced by a right one, no restart is needed."""
    cluster.run(Pod("stays"))
    mine = tmp_path / "kubeconfig"
    mine.write_text("clusters: none of your business\n")
    agent = start_agent(kubeconfig=mine)

    line = agent.log_line("the report is not written", "NoConnection")
    assert str(mine) in line
    agent.await_scans(2)
    assert no_finding(agent)
    assert agent.page("/readyz").status == 200
    assert agent.troubles()["report"] == "NoConnection"

    mine.write_text(kubeconfig.read_text())
    await_report(cluster, agent, "once it is possible", is_healthy)
    wait_until_without_trouble(agent)


def is_right_since(moment: datetime, *, as_in: Report) -> Callable[[Report], bool]:
    """Return whether a report was written after a moment, and says of the node what an earlier one did."""

    def is_right(report: Report) -> bool:
        written = datetime.fromisoformat(report["status"]["reportTime"])
        return written >= moment.replace(microsecond=0) and verdict(report) == verdict(as_in)

    return is_right


def verdict(report: Report) -> object:
    """What a report says of its node: the conditions, and whether all checks could judge."""
    conditions = [(one["type"], one["status"], one["reason"]) for one in report["status"]["conditions"]]
    return conditions, report["status"]["coverage"]["skippedChecks"]


def assert_was_told_410(cluster: Cluster, since: datetime, oldest_revision: int) -> None:
    """Hold both watches to having begun where they had ended, which the server has forgotten."""
    for path in (PODS, REPORTS):
        watches = [query for verb, asked, query in asked_since(cluster, since) if (verb, asked) == ("watch", path)]
        (version,) = watches[0]["resourceVersion"]
        assert int(version) < oldest_revision
        answer = cluster.kubectl("get", "--raw", f"{path}?watch=1&resourceVersion={version}&timeoutSeconds=2")
        assert '"code":410' in answer


def asked_since(cluster: Cluster, since: datetime) -> list[tuple[str, str, dict[str, list[str]]]]:
    """What the agent asked: verb, path and query."""
    asked = [(one.verb, urlsplit(one.uri)) for one in requests_since(cluster, since)]
    return [(verb, uri.path, parse_qs(uri.query)) for verb, uri in asked]


def has_listed_again(cluster: Cluster, since: datetime) -> bool:
    """Whether both watches have begun anew with a listing."""
    return {PODS, REPORTS} <= {
        path for verb, path, query in asked_since(cluster, since) if verb == "list" and "resourceVersion" in query
    }


def orphans(report: Report) -> list[object]:
    """The orphans in a report."""
    return [one["pod"]["name"] for one in findings(report, "orphaned-sandbox")]


def no_finding(agent: Agent) -> bool:
    """Nothing is told of any pod."""
    assert agent.metrics().findings_about_pods() == []
    return True


def is_ready(cluster: Cluster, name: str) -> bool:
    """Whether a pod of this name has a ready sandbox."""
    ready = 0  # SANDBOX_READY of the CRI
    return any(one.metadata.name == name and one.state == ready for one in cluster.runtime.client.sandboxes())


def wait_until_without_trouble(agent: Agent) -> None:
    """The agent has all it needs."""
    agent.wait("the agent to have all it needs", lambda: agent.troubles() == {}, 30)
