"""The image that the next pod's pause is started from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxImage:
    """The configured sandbox image, as far as the runtime tells."""

    configured: str
    """Its name."""

    told_by: str
    """Where the name is from, in words: ``the runtime's status``."""

    present: bool
    """Whether the runtime has it."""

    pinned: bool
    """Whether the runtime keeps image garbage collection away from it (``Image.pinned`` in the CRI)."""
