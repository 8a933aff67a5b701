"""What the agent lacks: told in the log when it changes, counted each time, shown by the pages."""

import logging
from collections.abc import Mapping

from pausewatch.model.availability import READ_HANGS, Unavailable
from pausewatch.model.snapshot import DETAIL_SECTIONS, Snapshot

SOURCES = ("runtime", "processes", "pods")
"""What a scan reads, as metrics and pages name it."""

REPORT = "report"
"""The report in the API server, among what the agent may lack."""

STORED = "storedReport"
"""What others made of that report, among the same: it can be written all the while."""

EVENTS = "events"
"""Events in the API server, among the same."""

FILES = "files"
"""Files of the node that do not answer, among the same."""

SENTENCES: Mapping[str, tuple[str, str]] = {
    "runtime": ("the container runtime can not be asked", "the container runtime answers again"),
    "processes": ("the processes of the node can not be read", "the processes of the node can be read again"),
    "pods": ("the pods of this node are not known from the API", "the pods of this node are known from the API"),
    FILES: ("not everything on the node can be read", "everything on the node that did not answer does again"),
    REPORT: ("the report is not written", "the report can be written again"),
    STORED: ("the stored report is not as it should be", "the stored report is as it should be again"),
    EVENTS: ("the last Event was not posted", "Events are posted again"),
}
"""What the log says when it begins and when it ends."""

logger = logging.getLogger(__name__)


class Troubles:
    """One per name of ``SENTENCES``.

    Attributes:
        now: Why something is not there, by name; None where it is.
        counts: How often it was missing when asked for, by name.
    """

    def __init__(self) -> None:
        self.now: dict[str, Unavailable | None] = dict.fromkeys(SENTENCES)
        self.counts: dict[str, int] = dict.fromkeys(SENTENCES, 0)

    def take(self, found: Mapping[str, Unavailable | None]) -> None:
        """Take what was missing when it was last asked for."""
        for name, why in found.items():
            before, self.now[name] = self.now[name], why
            self.counts[name] += why is not None
            # Texts hold numbers that change each time; a new reason is news, a new number is none.
            if why is not None and (before is None or before.reason != why.reason):
                logger.warning("%s: %s", SENTENCES[name][0], why)
            if why is None and before is not None:
                logger.info("%s", SENTENCES[name][1])


def of_snapshot(snapshot: Snapshot) -> Mapping[str, Unavailable | None]:
    """Return what one scan could not read, by source."""
    hanging = [value for value in (getattr(snapshot, name) for name in DETAIL_SECTIONS) if _hangs(value)]
    sections = {
        "runtime": snapshot.sandboxes,
        "processes": snapshot.processes,
        "pods": snapshot.pods,
        FILES: next(iter(hanging), None),
    }
    return {name: value if isinstance(value, Unavailable) else None for name, value in sections.items()}


def _hangs(section: object) -> bool:
    return isinstance(section, Unavailable) and section.reason == READ_HANGS
