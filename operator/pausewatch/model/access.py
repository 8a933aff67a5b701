"""What the process that scans can and cannot see on this node, and what that costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFact:
    """One permission or precondition of a scan."""

    name: str
    """Kebab-case: ``runtime-socket``, ``namespace-links``."""

    granted: bool
    detail: str
    """What was tried and what came of it."""

    lost: str = ""
    """What is not found without it; empty when granted."""

    remedy: str = ""
    """How to get it, starting with a verb; empty when granted."""
