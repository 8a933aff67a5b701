"""The agent restarts, its report is deleted or edited, its Node deleted or made anew: what is stored stays right."""

import json
from dataclasses import replace

from e2e.conftest import StartAgent
from e2e.support.api_requests import REPORTS, brief, creations, now, requests_since, writes
from e2e.support.faulty import run_forgetful
from e2e.support.node_report import Report, await_report, condition, findings, is_healthy, read_report
from e2e.support.node_tokens import bind_agent_pod, pod_token_kubeconfig
from e2e.support.pace import FAST
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until
from pausewatch.cluster.report_writer import DELETED_AGAIN
from pausewatch.cluster.write_schedule import CREATION_SECONDS

OBSERVED_SECONDS = 20.0
"""Several times what the garbage collector needs to remove the report of a Node that is gone."""


def test_restart_keeps_ids_and_first_seen_times(cluster: Cluster, start_agent: StartAgent) -> None:
    """A new agent goes on where one was killed, as for its memory: nothing is healed by that, nothing begins anew.

    What SIGTERM leaves behind: `test_end_of_the_agent.py`, and `test_events.py` for a restart in good order.
    """
    first = start_agent()
    forgetful = run_forgetful(cluster)
    before = await_report(cluster, first, "of zombies", is_warning)
    first.process.kill()
    first.process.wait()

    second = start_agent()
    second.await_scans(1)
    seen = [identity(read_report(cluster) or {})]
    second.wait("the zombies in the metrics", lambda: second.metrics().findings(), 30)
    second.await_scans(2)
    seen.append(identity(read_report(cluster) or {}))

    assert seen == [identity(before)] * 2
    assert identity(before)[0][1] == forgetful.uid


def test_agent_that_starts_without_the_api_server_loses_nothing_of_the_report(
    cluster: Cluster, start_agent: StartAgent
) -> None:
    """It has looked for long when it can read the stored report at last: what that remembers is not written over."""
    first = start_agent()
    run_forgetful(cluster)
    before = await_report(cluster, first, "of zombies", is_warning)
    first.stop()
    cluster.pause_api_server()
    second = start_agent(replace(FAST, report_heartbeat_seconds=2))
    second.wait("the zombies in the metrics", lambda: second.metrics().findings(), 60)
    second.await_scans(2)
    cluster.resume_api_server()

    after = await_report(cluster, second, "of the second agent", lambda one: report_time(one) > report_time(before), 60)

    assert identity(after) == identity(before)


def test_deleted_report_comes_back(cluster: Cluster, start_agent: StartAgent) -> None:
    """As another object with the same content, owned by the Node."""
    run_forgetful(cluster)
    agent = start_agent()
    before = await_report(cluster, agent, "of zombies", is_warning)
    cluster.kubectl("delete", "psr", cluster.node_name)

    after = await_report(cluster, agent, "after its deletion", findings, 10)

    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert identity(after) == identity(before)
    node = json.loads(cluster.kubectl("get", "node", cluster.node_name, "--output=json"))
    (owner,) = after["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Node", cluster.node_name, node["metadata"]["uid"])


def test_report_goes_with_its_node(cluster: Cluster, start_agent: StartAgent) -> None:
    """The report of a deleted Node is collected, and the agent, while it still runs there, does not fight that.

    Observed are 20 s instead of five minutes: the back-off that the agent declares leaves room for no further
    creation within the five minutes.
    """
    # Unlike a token that is bound to the Node itself, this one outlives the Node by the minute until its pod goes too.
    agent = start_agent(kubeconfig=pod_token_kubeconfig(cluster, bind_agent_pod(cluster, cluster.node_name)))
    await_report(cluster, agent, "that is healthy", is_healthy)
    began = now()
    cluster.stop_kubelet()
    cluster.kubectl("delete", "node", cluster.node_name)

    agent.wait("the report to be collected", lambda: read_report(cluster) is None or None, 60)
    wait_until("the end of the observation", lambda: (now() - began).total_seconds() > OBSERVED_SECONDS, 60)

    assert len(creations(requests_since(cluster, began))) <= 1
    assert CREATION_SECONDS[2] >= 300
    agent.wait("the report to be collected again", lambda: read_report(cluster) is None or None, 60)


def test_node_that_is_made_anew_under_its_name(cluster: Cluster, start_agent: StartAgent) -> None:
    """A report that is owned by the old Node is collected, and told; one by a new token is owned by the new Node.

    The token of a pod names the Node that was there when it was issued. The kubelet has a new one within two minutes of
    its own restart, which is what makes a Node anew.
    """
    pod = bind_agent_pod(cluster, cluster.node_name)
    old_token = pod_token_kubeconfig(cluster, pod)
    cluster.stop_kubelet()
    cluster.kubectl("delete", "node", cluster.node_name)
    cluster.start_kubelet()
    cluster.await_node()

    began = now()
    agent = start_agent(kubeconfig=old_token)
    agent.log_line("the report is not written", DELETED_AGAIN.detail, DELETED_AGAIN.remedy, limit_seconds=40)
    assert agent.troubles() == {"report": DELETED_AGAIN.reason}
    wait_until("the end of the observation", lambda: (now() - began).total_seconds() > OBSERVED_SECONDS, 60)
    assert len(creations(requests_since(cluster, began))) == 2
    assert read_report(cluster) is None
    agent.stop()

    renewed = start_agent(kubeconfig=pod_token_kubeconfig(cluster, pod))
    report = await_report(cluster, renewed, "that is healthy", is_healthy)
    node = json.loads(cluster.kubectl("get", "node", cluster.node_name, "--output=json"))
    assert report["metadata"]["ownerReferences"][0]["uid"] == node["metadata"]["uid"]
    renewed.await_scans(10)
    assert (read_report(cluster) or report)["metadata"]["uid"] == report["metadata"]["uid"]
    assert renewed.troubles() == {}


def test_report_that_somebody_edits_is_put_right(cluster: Cluster, start_agent: StartAgent) -> None:
    """Whatever they write into the status, counts and conditions too; a label is theirs to keep, and costs no write."""
    run_forgetful(cluster)
    agent = start_agent()
    before = await_report(cluster, agent, "of zombies", is_warning)
    lie = before["status"] | {
        "findings": [],
        "summary": before["status"]["summary"] | {"warning": 0},
        "conditions": [one | {"status": "True"} for one in before["status"]["conditions"]],
    }
    patch = json.dumps([{"op": "replace", "path": "/status", "value": lie}])
    cluster.kubectl("patch", "psr", cluster.node_name, "--subresource=status", "--type=json", f"--patch={patch}")

    limit_seconds = 2 * agent.pace.scan_period_seconds + agent.pace.report_interval_seconds
    after = await_report(cluster, agent, "of zombies again", findings, limit_seconds)
    assert identity(after) == identity(before)
    assert after["status"]["summary"]["warning"] == before["status"]["summary"]["warning"]
    assert condition(after, "Healthy") == "False"
    assert transitions(after) == transitions(before)

    agent.await_scans(3)
    labelled = now()
    cluster.kubectl("label", "psr", cluster.node_name, "team=a")
    agent.await_scans(4)
    since = requests_since(cluster, labelled)
    assert brief(since) == [f"get {REPORTS}/{cluster.node_name} 200"]
    assert writes(since) == []
    assert (read_report(cluster) or {})["metadata"]["labels"] == {"team": "a"}


def is_warning(report: Report) -> bool:
    """Whether zombies are told, and not only for information."""
    return [one["severity"] for one in findings(report, "zombie-buildup")] == ["Warning"]


def transitions(report: Report) -> dict[str, str]:
    """Since when each condition is as it is."""
    return {one["type"]: one["lastTransitionTime"] for one in report["status"]["conditions"]}


def report_time(report: Report) -> str:
    """When the look was taken that it tells of."""
    return str(report["status"]["reportTime"])


def identity(report: Report) -> list[tuple[str, str, str]]:
    """What must not change of findings: id, pod and first-seen time."""
    return [(one["id"], one["pod"]["uid"], one["firstSeenTime"]) for one in findings(report)]
