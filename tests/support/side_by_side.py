"""Which tests stay together where some run side by side (pytest-xdist): what they share is started once, not thrice."""

import re

from xdist.scheduler import LoadScopeScheduling

RUNTIME = re.compile(r"\[.*?(containerd-\d+\.\d+)")


class Scheduling(LoadScopeScheduling):
    """Those on one version of a container runtime, whose lab lives for the whole run; else those of a file.

    pytest-xdist's own way to say so, the mark ``xdist_group``, does nothing with pytest 9.2 (pytest-xdist 3.8:
    ``remote.py`` sets ``_nodeid``, which nothing reads any more).
    """

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def together(nodeid: str) -> str:
    """Return the same text for all tests that stay together.

    Args:
        nodeid: ``path::name[parameters]``.
    """
    runtime = RUNTIME.search(nodeid)
    return runtime[1] if runtime else nodeid.partition("::")[0]
