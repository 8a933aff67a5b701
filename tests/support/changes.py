"""Changes to a snapshot for tests: one thing differs from the healthy node, everything else stays coherent."""
# ruff: noqa: ANN401  builders pass any field of a value on to its constructor

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pausewatch.model.availability import Unavailable
from pausewatch.model.process import Placement
from pausewatch.model.snapshot import Snapshot
from support.builders import adding, present
from support.parts import HOST_LINKS, a_membership, a_process, hex_id, identity


def with_sandbox(snapshot: Snapshot, sandbox_id: str, **changes: Any) -> Snapshot:
    """Change fields of a sandbox or of its details."""
    return replace(snapshot, sandboxes=_changed(present(snapshot.sandboxes), "id", sandbox_id, changes))


def with_container(snapshot: Snapshot, container_id: str, **changes: Any) -> Snapshot:
    """Change fields of a container or of its details."""
    return replace(snapshot, containers=_changed(present(snapshot.containers), "id", container_id, changes))


def with_first_process(snapshot: Snapshot, owner_id: str, **changes: Any) -> Snapshot:
    """Change fields of a first process or, by the name of the kind, its namespaces: ``network=4026531840``."""
    changed = _changed(present(snapshot.first_processes), "owner_id", owner_id, changes, nested="links")
    return replace(snapshot, first_processes=changed)


def with_network(snapshot: Snapshot, sandbox_id: str, **changes: Any) -> Snapshot:
    """Change fields of what a pod's network namespace looks like from inside."""
    return replace(snapshot, pod_networks=_changed(present(snapshot.pod_networks), "sandbox_id", sandbox_id, changes))


def without_process(snapshot: Snapshot, pid: int) -> Snapshot:
    """Remove a process, as if it had ended; the runtime does not know yet."""
    return replace(
        snapshot,
        processes=tuple(one for one in present(snapshot.processes) if one.pid != pid),
        first_processes=tuple(one for one in present(snapshot.first_processes) if one.identity.pid != pid),
    )


def with_zombies(snapshot: Snapshot, count: int, parent_pid: int, *, first_pid: int = 5000, **placed: Any) -> Snapshot:
    """Add dead children of a process, numbered from ``first_pid``.

    They are placed where their parent is (its PID namespace and container); ``placed`` changes that: fields of
    ``Placement``.
    """
    parent = next((one for one in present(snapshot.first_processes) if one.identity.pid == parent_pid), None)
    parent_links = HOST_LINKS if parent is None or isinstance(parent.links, Unavailable) else parent.links
    place = Placement(
        identity=identity(parent_pid), pid_namespace=parent_links.pid, container_id=parent.owner_id if parent else None
    )
    pids = range(first_pid, first_pid + count)
    return adding(
        snapshot,
        processes=[a_process(pid, parent_pid=parent_pid, name="sh", state="Z") for pid in pids],
        placements=[place, *(replace(place, identity=identity(pid), **placed) for pid in pids)],
    )


def with_zombies_of_another_node(snapshot: Snapshot, count: int, parent_pid: int = 7000) -> Snapshot:
    """Add a process in a pod of another node on the same machine, as in kind, with dead children."""
    theirs = a_membership(parent_pid, hex_id("theirs"), pods_root="/docker/kind/kubelet")
    more = adding(snapshot, processes=[a_process(parent_pid, name="theirs")], memberships=[theirs])
    return with_zombies(more, count, parent_pid, first_pid=8000, container_id=None, pid_namespace=HOST_LINKS.pid + 1)


def _changed(
    section: tuple[Any, ...], key: str, wanted: str, changes: Mapping[str, Any], nested: str = "details"
) -> tuple[Any, ...]:
    """Change one item of a section; names that the item lacks are fields of its ``nested`` value."""
    assert any(getattr(item, key) == wanted for item in section), f"nothing has the {key} {wanted}"
    return tuple(_change(item, changes, nested) if getattr(item, key) == wanted else item for item in section)


def _change(item: Any, changes: Mapping[str, Any], nested: str) -> Any:
    own = {name: value for name, value in changes.items() if name in item.__slots__}
    inner = {name: value for name, value in changes.items() if name not in own}
    if inner:
        own[nested] = replace(getattr(item, nested), **inner)
    return replace(item, **own)
