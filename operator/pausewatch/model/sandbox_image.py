"""The image that the next pod's sandbox is made from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """An image that the runtime has, under one of its names."""

    image: str
    """The name: ``registry.k8s.io/pause:3.10``."""

    id: str
    """The digest of its configuration, as the CRI tells it: two names with one id are one image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxImage:
    """The configured sandbox image, as far as the runtime tells."""

    image: str
    """Its name, as configured."""

    told_by: str
    """Where the name is from, in words: ``the runtime's status``."""

    id: str
    """Of what the runtime has under that name; empty if it has nothing."""

    pinned: bool | None
    """Whether the runtime keeps image garbage collection away from it (``Image.pinned`` in the CRI); None if the
    runtime has it not, or does not tell."""

    others: tuple[NamedImage, ...]
    """What the runtime has under the other names that ready sandboxes were made from, by name."""

    @property
    def present(self) -> bool:
        """Whether the runtime has it."""
        return bool(self.id)
