"""What a person on the node finds out without pausewatch: with readlink, ps and ctr. Expected values come from here."""

from lab.faults import Kind
from lab.processes import linux_namespace, parent_pid, zombies_of
from lab.shapes.runtime import RuntimeLab

#: What the kernel calls the kinds below /proc/<pid>/ns.
LINKS: dict[Kind, str] = {"network": "net", "ipc": "ipc", "uts": "uts", "pid": "pid"}


def readlink(pid: int, kind: Kind) -> str:
    """What ``readlink /proc/<pid>/ns/...`` prints: "net:[4026532301]"."""
    return linux_namespace(pid, LINKS[kind])


def pid_by_ctr(lab: RuntimeLab, owner_id: str) -> int:
    """The pid that ``ctr tasks ls`` shows for a sandbox or container.

    Raises:
        AssertionError: It shows none.
    """
    pids = {columns[0]: int(columns[1]) for columns in map(str.split, lab.ctr("tasks", "ls").splitlines()[1:])}
    assert owner_id in pids, f"ctr knows no task {owner_id}: {sorted(pids)}"
    return pids[owner_id]


def parent_of_zombies(parent: int, count: int) -> int:
    """The pid of a process that /proc shows as the parent of exactly ``count`` zombies.

    Raises:
        AssertionError: It has another number of them.
    """
    found = zombies_of(parent)
    assert len(found) == count, f"pid {parent} has {len(found)} zombies, not {count}"
    assert {parent_pid(zombie) for zombie in found} == {parent}
    return parent
