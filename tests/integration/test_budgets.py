"""What a look costs, on some pods and within generous bounds: ``make bench`` holds it to its real budgets."""

import pytest

from bench import budgets, system_calls
from bench.churn import ALIVE, pods_come_and_go
from bench.costs import Looker, measure_costs
from bench.endurance import endure
from bench.event_loop import longest_wait_seconds
from bench.load import CONTAINERS, run_pods
from lab.build.tools import need_tools
from lab.pins import CONTAINERD_2_4
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.settings import Settings
from pausewatch.sources.collector import Collector

PODS = 60
FEW_PODS = 5
MEASUREMENTS = 3
"""Whoever disturbs one makes a look dearer, never cheaper: a budget that is broken is broken in all of them."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)
def test_look_stays_cheap(lab: RuntimeLab) -> None:
    """Twice its share of lsns and of the C program, for the machine may be busy; no call twice, no growing memory."""
    need_tools({"strace": "strace"})
    run_pods(lab, PODS)

    broken: list[budgets.Verdict] = []
    for _ in range(MEASUREMENTS):
        costs = measure_costs(lab.endpoint, lab.containerd.pid, rounds=7)
        broken = [verdict for verdict in budgets.of_costs(costs) if verdict.value > 2 * verdict.most]
        if not broken:
            break
    verdicts = [
        *budgets.of_system_calls(sum(system_calls.of_a_look(lab.endpoint).values()), costs),
        *budgets.of_event_loop(wait_for_looks(lab, looks=10)),
        *budgets.of_endurance(endure(lab.endpoint, looks=1000), sandboxes=PODS, containers=PODS * len(CONTAINERS)),
    ]

    assert broken == []
    assert [verdict for verdict in verdicts if not verdict.holds] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)
def test_nothing_is_kept_of_pods_that_are_gone(lab: RuntimeLab) -> None:
    """Neither memory nor open files; ``python -m bench.churn`` does it for 10,000 looks."""
    run_pods(lab, FEW_PODS)
    with pods_come_and_go(lab) as churn:
        seen = endure(lab.endpoint, looks=1500)

    assert churn.made > ALIVE + 3, "too few pods came and went to tell"
    assert [verdict for verdict in budgets.of_churn(seen) if not verdict.holds] == []


def wait_for_looks(lab: RuntimeLab, looks: int) -> float:
    """Return for how many seconds an event loop waits for warm looks at the lab."""
    settings = Settings(runtime_endpoint=lab.endpoint)
    with Collector(settings) as collector:
        looker = Looker(collector, settings)
        looker.look()
        return longest_wait_seconds(looker.look, looks)
