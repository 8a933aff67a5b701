"""What a source could not give, and why: the third value beside "there is something" and "there is nothing"."""

from dataclasses import dataclass

PERMISSION_DENIED = "PermissionDenied"
"""The reason that a person can mend by granting more; counted as coverage."""

READ_HANGS = "ReadHangs"
"""The reason of what is read on every node and, just now, does not answer: without it no scan is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """Stands in a Snapshot where a section could not be read.

    A check that needs the section is skipped with ``reason``; it never sees this value.
    """

    reason: str
    """CamelCase and stable, for coverage and metrics: ``SocketMissing``, ``PermissionDenied``."""

    detail: str
    """One sentence with the subject and the cause, for people."""

    remedy: str = ""
    """What to do about it, starting with a verb; empty where there is nothing to do."""

    def __str__(self) -> str:
        return f"{self.detail}; {self.remedy}" if self.remedy else self.detail
