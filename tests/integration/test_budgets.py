"""What a look costs, on some pods and within generous bounds: ``make bench`` holds it to its real budgets."""

import pytest

from bench import budgets
from bench.costs import measure_costs
from bench.endurance import endure
from bench.load import CONTAINERS, run_pods
from lab.pins import CONTAINERD_2_4
from lab.shapes.runtime import RuntimeLab

PODS = 60
MEASUREMENTS = 3
"""Whoever disturbs one makes a look dearer, never cheaper: a budget that is broken is broken in all of them."""


@pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)
def test_look_stays_cheap(lab: RuntimeLab) -> None:
    """Twice its share of lsns and of the C program, for the machine may be busy; no call twice, no growing memory."""
    run_pods(lab, PODS)

    broken: list[budgets.Verdict] = []
    for _ in range(MEASUREMENTS):
        costs = measure_costs(lab.endpoint, lab.containerd.pid, rounds=7)
        broken = [verdict for verdict in budgets.of_costs(costs) if verdict.value > 2 * verdict.most]
        if not broken:
            break
    endurance = endure(lab.endpoint, looks=400)

    assert broken == []
    for verdict in budgets.of_endurance(endurance, sandboxes=PODS, containers=PODS * len(CONTAINERS)):
        assert verdict.holds, verdict
