"""The healthy node is healthy."""

from pausewatch.model.sharing import Sharing
from support.builders import a_node, a_snapshot, present
from support.parts import a_process


def test_the_healthy_node_shares_as_it_should() -> None:
    """Every Linux namespace of every container is judged, and is as expected."""
    node = a_node()
    judgements = [one for container in node.running_containers for one in Sharing(node).of(container)]

    assert len(judgements) == 3 * 5
    assert all(one.as_expected and not one.not_judged for one in judgements)
    assert not node.zombies
    assert not node.not_comparable


def test_two_healthy_nodes_are_equal() -> None:
    """Nothing in the builders depends on when or where they run."""
    assert a_snapshot() == a_snapshot()


def test_processes_are_ordered_by_pid() -> None:
    """Pods added later do not disturb the order that a Snapshot promises."""
    pids = [process.pid for process in present(a_snapshot().processes)]

    assert pids == sorted(pids)


def test_a_process_starts_as_many_seconds_after_boot_as_its_pid() -> None:
    """Start times are in ticks of 1/100 s."""
    assert a_process(7).identity.start_ticks == 700
