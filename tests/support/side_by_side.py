"""Which tests stay together where some run side by side (pytest-xdist), and which come first."""

import re

from xdist.scheduler import LoadScopeScheduling

RUNTIME = re.compile(r"\[.*?(containerd-\d+\.\d+)")

BUSY = "busy"
BUSY_TESTS = ("tests/e2e/zoo/", "tests/e2e/test_vm_node.py", "tests/e2e/test_many_nodes.py")
"""They keep two cores busy for minutes. Two of them at once would starve each other and everybody else; one that begins
when all else has ended is waited for."""

LONG = ("tests/e2e/soak/test_soak.py",)
"""They wait for minutes, and come next for the same reason."""


class Scheduling(LoadScopeScheduling):
    """One process runs all tests of a group, one after the other.

    pytest-xdist's own way to say so, the mark ``xdist_group``, does nothing with pytest 9.2 (pytest-xdist 3.8:
    ``remote.py`` sets ``_nodeid``, which nothing reads any more).
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """Return the group of a test: the busy ones, those on one version of a container runtime, else those of a file.

    What a version's tests share, a lab that lives for the whole run, is thereby started once and not thrice.

    Args:
        nodeid: ``path::name[parameters]``.
    """
    if nodeid.startswith(BUSY_TESTS):
        return BUSY
    runtime = RUNTIME.search(nodeid)
    return runtime[1] if runtime else nodeid.partition("::")[0]


def turn(nodeid: str) -> int:
    """Return when a test's group is to begin: the busy ones first, then the long ones, then the others."""
    if nodeid.startswith(BUSY_TESTS):
        return 0
    return 1 if nodeid.startswith(LONG) else 2
