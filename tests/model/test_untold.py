from collections.abc import Callable
from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.untold import untold, untold_ids
from support.builders import a_node, a_snapshot
from support.changes import with_container, with_first_process, with_sandbox
from support.parts import HOST_LINKS, SHARED_SANDBOX_ID, WEB_APP_ID, WEB_APP_PID, WEB_SANDBOX_ID

HANGING = Unavailable(reason="RuntimeHanging", detail="did not answer", remedy="restart it")
REFUSED = Unavailable(reason="PermissionDenied", detail="refused")
EXITED = Unavailable(reason="ProcessExited", detail="waits to be reaped")


def without_details(snapshot: Snapshot, why: Unavailable, *ids: str) -> Snapshot:
    """Return a node whose runtime did not tell the statuses of some sandboxes and containers."""
    assert not isinstance(snapshot.sandboxes, Unavailable)
    assert not isinstance(snapshot.containers, Unavailable)
    return replace(
        snapshot,
        sandboxes=tuple(replace(one, details=why) if one.id in ids else one for one in snapshot.sandboxes),
        containers=tuple(replace(one, details=why) if one.id in ids else one for one in snapshot.containers),
    )


def test_healthy_node() -> None:
    """Everything is told."""
    assert untold(a_node()) == ()


def test_statuses_that_were_not_told() -> None:
    """Each list has its own, with one cause for all."""
    snapshot = without_details(a_snapshot(), HANGING, WEB_SANDBOX_ID, WEB_APP_ID)
    snapshot = without_details(snapshot, REFUSED, SHARED_SANDBOX_ID)

    assert untold(a_node(snapshot)) == (
        ("sandbox_statuses", Unavailable(reason="PermissionDenied", detail="2 not told: refused")),
        ("container_statuses", replace(HANGING, detail="1 not told: did not answer")),
    )


def test_ids_of_what_was_not_told() -> None:
    """Of sandboxes and containers; what is not listed at all is gone."""
    snapshot = without_details(a_snapshot(), HANGING, WEB_SANDBOX_ID, WEB_APP_ID)

    assert untold_ids(snapshot) == {WEB_SANDBOX_ID, WEB_APP_ID}
    assert untold_ids(a_snapshot()) == untold_ids(a_snapshot(sandboxes=HANGING, containers=())) == frozenset()


def test_lists_that_were_not_told() -> None:
    """They are sections of their own, and told as that."""
    assert untold(a_node(a_snapshot(sandboxes=HANGING, containers=HANGING, first_processes=HANGING))) == ()


@pytest.mark.parametrize(
    "without",
    [
        lambda snapshot: with_container(snapshot, WEB_APP_ID, pid=0),
        lambda snapshot: with_sandbox(snapshot, WEB_SANDBOX_ID, pause_pid=0),
    ],
)
def test_process_that_is_not_named(without: Callable[[Snapshot], Snapshot]) -> None:
    """Of something that runs."""
    ((name, why),) = untold(a_node(without(a_snapshot())))

    assert (name, why.reason) == ("processes_of_containers", "ProcessNotTold")
    assert why.detail.startswith("1 run and have no process")


def test_sandboxes_that_have_no_process() -> None:
    """Those of CRI-O, of a user-space kernel, and of a runtime that does not say who it is."""
    snapshot = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, pause_pid=0)
    assert not isinstance(snapshot.runtime, Unavailable)

    assert untold(a_node(replace(snapshot, runtime=replace(snapshot.runtime, name="cri-o")))) == ()
    assert untold(a_node(replace(snapshot, runtime=HANGING))) == ()
    assert untold(a_node(with_sandbox(snapshot, WEB_SANDBOX_ID, runtime_handler="kata"))) == ()


def test_process_of_somebody_else() -> None:
    """Its namespaces would be judged by what the container asked for, so it is not judged at all."""
    ((name, why),) = untold(a_node(with_first_process(a_snapshot(), WEB_APP_ID, in_own_cgroup=False)))

    assert (name, why.reason) == ("processes_of_containers", "ForeignProcess")
    assert f"pid {WEB_APP_PID} for {WEB_APP_ID[:12]}" in why.detail


@pytest.mark.parametrize("links", [HOST_LINKS, REFUSED, EXITED])
@pytest.mark.parametrize("runtime_type", ["io.containerd.runc.v2", "io.containerd.runsc.v1"])
def test_process_that_says_nothing(links: NamespaceLinks | Unavailable, runtime_type: str) -> None:
    """A zombie has lost its cgroup, and that of a user-space kernel is its own business."""
    snapshot = with_first_process(a_snapshot(), WEB_APP_ID, in_own_cgroup=False, links=links)
    told = untold(a_node(with_sandbox(snapshot, WEB_SANDBOX_ID, runtime_type=runtime_type)))

    assert bool(told) is (links is not EXITED and runtime_type == "io.containerd.runc.v2")
