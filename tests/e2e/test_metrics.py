"""A scrape is quick and valid at any time: before the first scan, during one, and while the runtime hangs."""

from pathlib import Path

import pytest

from e2e.conftest import StartAgent
from e2e.support.agent import Agent
from e2e.support.exposition import Exposition
from e2e.support.faulty import run_forgetful
from e2e.support.node_report import await_report, condition, findings
from e2e.support.pace import FAST
from e2e.support.promtool import complaints, ensure_promtool
from lab import faults
from lab.pods import Pod
from lab.shapes.cluster import Cluster

SCRAPE_SECONDS = 1.0


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' checker of expositions."""
    return ensure_promtool()


def test_scrapes_around_a_first_scan_that_takes_long(cluster: Cluster, start_agent: StartAgent, promtool: Path) -> None:
    """The runtime hangs from the start: what is not known has no sample, and nothing is called healthy or broken."""
    cluster.run(Pod("web"))
    with faults.hanging_runtime(cluster.runtime):
        agent = start_agent()
        before = scrape(agent, promtool)
        assert before.total("pausewatch_scans_total") == 0
        assert before.samples("pausewatch_build_info")
        assert before.samples("pausewatch_findings") == []
        during = 0
        while agent.scans() < 2:
            scrape(agent, promtool)
            during += 1
        assert during >= 1
        hanging = scrape(agent, promtool)
        assert hanging.total("pausewatch_source_up", source="runtime") == 0
        assert hanging.findings() == {}
        assert agent.page("/healthz").status == 200
        report = await_report(cluster, agent, "of the hang", lambda _: True)
        assert (condition(report, "Healthy"), condition(report, "RuntimeReachable")) == ("Unknown", "False")

    is_up = "the runtime to be back"
    agent.wait(is_up, lambda: agent.metrics().total("pausewatch_source_up", source="runtime") == 1, 15)
    assert scrape(agent, promtool).total("pausewatch_sandboxes", state="READY") == 1


def test_hang_of_the_runtime_heals_nothing(cluster: Cluster, start_agent: StartAgent, promtool: Path) -> None:
    """A finding stays while nobody can look whether it is still there; with the runtime back it has its old time."""
    agent = start_agent()
    run_forgetful(cluster)
    before = await_report(cluster, agent, "of zombies", lambda one: one["status"]["summary"]["warning"])
    assert scrape(agent, promtool).findings() == {"ZombieBuildup Warning": 1}
    with faults.hanging_runtime(cluster.runtime):
        agent.await_scans(3)
        assert scrape(agent, promtool).findings() == {"ZombieBuildup Warning": 1}
    agent.wait("complete scans", lambda: not agent.troubles(), 10 * FAST.scan_period_seconds)
    agent.await_scans(3)

    after = await_report(cluster, agent, "of the runtime", lambda one: condition(one, "ScanComplete") == "True", 10)
    (old,), (new,) = findings(before), findings(after)
    assert (old["id"], old["firstSeenTime"]) == (new["id"], new["firstSeenTime"])


def scrape(agent: Agent, promtool: Path) -> Exposition:
    """Scrape the agent as Prometheus does: in time, and with nothing that promtool complains about."""
    # The best of three: what is slow once is a busy machine, what waits for a scan or the runtime is slow each time.
    pages = [agent.page("/metrics") for _ in range(3)]
    assert min(page.seconds for page in pages) < SCRAPE_SECONDS
    for page in pages:
        assert page.status == 200
        assert complaints(promtool, page.text) == ""
    return Exposition(pages[-1].text)
