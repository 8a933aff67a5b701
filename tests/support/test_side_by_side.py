import pytest

from support.side_by_side import BUSY, LONG, group, turn


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/integration/scan/test_calls.py::test_calls[containerd-1.6]", "containerd-1.6"),
        ("tests/integration/faults/test_pause_gone.py::test_killed[busy-containerd-2.4]", "containerd-2.4"),
        ("tests/e2e/test_metrics.py::test_scrape[before the first scan]", "tests/e2e/test_metrics.py"),
        ("tests/e2e/test_metrics.py::test_containerd", "tests/e2e/test_metrics.py"),
        ("tests/e2e/zoo/test_zoo.py::test_no_false_alarm", BUSY),
    ],
)
def test_group(nodeid: str, expected: str) -> None:
    """What shares a started lab stays together, and what keeps the machine busy."""
    assert group(nodeid) == expected


def test_turn() -> None:
    """What would be waited for in the end begins first, and what keeps the machine busy before what waits."""
    others = ("tests/e2e/test_metrics.py::test_scrape", "tests/e2e/soak/test_plan.py::test_outages")
    nodeids = (*others, f"{LONG[0]}::test_soak", "tests/e2e/zoo/test_zoo.py::test_no_false_alarm")

    assert sorted(nodeids, key=turn) == [nodeids[3], nodeids[2], *others]
