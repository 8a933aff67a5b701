"""Messages of the CRI to values of the model, and what the translations of sandboxes and of containers share.

This, ``translate_sandbox`` and ``translate_container`` are pure, and the one place that knows how the runtimes differ.
Where a rule is about one runtime, it names it. Every text is escaped here, once.
"""

from collections.abc import Mapping

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import NamespaceMode
from pausewatch.model.snapshot import Runtime
from pausewatch.model.text import printable
from pausewatch.sources.cri import verbose_info
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.verbose_info import JsonObject

MODES: Mapping[object, NamespaceMode] = {
    cri.POD: NamespaceMode.POD,
    cri.CONTAINER: NamespaceMode.CONTAINER,
    cri.NODE: NamespaceMode.NODE,
    cri.TARGET: NamespaceMode.TARGET,
}
"""By number. A number that a later CRI adds is absent: nothing is expected of a mode that we do not know."""

NO_STATUS = Unavailable(reason="StatusUnreadable", detail="the runtime's answer holds no status")

LONGEST_QUOTE = 40
"""Characters of what a runtime told that an error repeats."""

LARGEST_PID = 4 * 1024 * 1024
"""PID_MAX_LIMIT, include/linux/threads.h: no number of a process is larger."""


def translate_runtime(answer: cri.VersionResponse, endpoint: str) -> Runtime:
    """Return who answers at ``endpoint``."""
    return Runtime(
        name=printable(answer.runtime_name),
        version=printable(answer.runtime_version),
        endpoint=printable(endpoint),
    )


def first_pid(info: JsonObject) -> int | Unavailable:
    """Return the number of the first process, 0 where there is none; a number that no process has tells nothing."""
    pid = verbose_info.number(info, "pid")
    if pid is not None and pid <= LARGEST_PID:
        return pid
    return Unavailable(
        reason="StatusUnreadable",
        detail=f"the runtime tells a pid that no process can have: {printable(repr(info.get('pid')), LONGEST_QUOTE)}",
        remedy="report it, with the runtime's version and the output of crictl inspect or inspectp",
    )


def contradictory(cause: str) -> Unavailable:
    """Return why nothing of a status is believed that can not be true beside the list."""
    return Unavailable(
        reason="StatusContradictory",
        detail=cause,
        remedy="compare crictl pods and ps with crictl inspectp and inspect, and report it with the runtime's version",
    )
