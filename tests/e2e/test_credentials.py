"""A token that ends while the agent runs, and is renewed on disk: said, waited for, and taken up by itself."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.api_requests import now
from e2e.support.installation import service_account
from e2e.support.node_report import Report, await_report, is_healthy
from e2e.support.pace import FAST
from e2e.support.wire import Wire, through
from lab.pods import Pod
from lab.shapes.api_server_faults import short_token
from lab.shapes.cluster import Cluster

BEATING = replace(FAST, report_heartbeat_seconds=2)
VALID_SECONDS = 12.0
"""Of the short token; for an agent to start with it, which a very busy machine may not manage in time: that costs the
test its first half. The API server takes it for up to ten seconds more: it remembers whom it has just recognized."""

REFUSED_SECONDS = 6.0
MOST_REFUSALS = 20
"""In those seconds, of a watch and a writer."""

RENEWED_SECONDS = 60.0
"""Two periods by default: how soon a renewed token has to be in use everywhere, whatever the agent was waiting for."""


def test_token_that_ends_and_is_renewed_on_disk(
    cluster: Cluster, start_agent: StartAgent, kubeconfig: Path, tmp_path: Path
) -> None:
    """Both the watch and the writer are refused with 401, and go on with the new token; no restart, no orphan."""
    cluster.run(Pod("stays"))
    token = tmp_path / "token"
    namespace, account = service_account()
    with Wire(cluster.places.certificates.server) as wire:
        mine = with_token_file(through(wire, kubeconfig), token)
        replace_token(token, short_token(cluster, account, namespace, VALID_SECONDS))
        agent = start_agent(BEATING, kubeconfig=mine)
        agent.wait("the writer to be refused", lambda: agent.troubles().get("report") == "Unauthorized", 60)
        # A watch that is open stays open: the next one is refused.
        wire.cut()
        wire.mend()
        agent.wait("the watch to be refused", lambda: "pods" in agent.troubles(), 60)
        assert agent.metrics().total("pausewatch_source_up", source="pods") == 0
        refused = now()
        ends = time.monotonic() + REFUSED_SECONDS
        agent.wait("the end of that time", lambda: no_finding(agent) and time.monotonic() > ends, 60)
        refusals = [one for one in cluster.audit() if one.code == 401 and one.time >= refused]
        assert 0 < len(refusals) < MOST_REFUSALS
        assert agent.page("/healthz").status == 200

        renewed = now()
        replace_token(token, cluster.token(account, namespace, bound_to_node=True))
        agent.wait(
            "the agent to have all it needs", lambda: no_finding(agent) and not agent.troubles(), RENEWED_SECONDS
        )
        is_new = is_healthy_since(renewed)
        await_report(cluster, agent, "of a scan after that", is_new)


def is_healthy_since(moment: datetime) -> Callable[[Report], bool]:
    """Return whether a report was written after a moment, and is healthy."""
    return lambda report: is_healthy(report) and datetime.fromisoformat(report["status"]["reportTime"]) > moment


def with_token_file(kubeconfig: Path, token: Path) -> Path:
    """Have a kubeconfig of the lab's name the file of its token, as client-go and the agent read it again and again."""
    document = json.loads(kubeconfig.read_text(encoding="utf-8"))
    document["users"][0]["user"] = {"tokenFile": str(token)}
    kubeconfig.write_text(json.dumps(document), encoding="utf-8")
    return kubeconfig


def replace_token(file: Path, token: str) -> None:
    """Put another token in the place of a file, at once, as the kubelet does."""
    beside = file.with_suffix(".new")
    beside.touch(mode=0o600)
    beside.write_text(token)
    beside.rename(file)


def no_finding(agent: Agent) -> bool:
    """Nothing is told of any pod."""
    assert agent.metrics().findings_about_pods() == []
    return True
