"""What a pod's own network namespace looks like from inside."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNetwork:
    """The network namespace of one ready sandbox, read through a process inside it."""

    sandbox_id: str
    addresses: tuple[str, ...]
    """Of its interfaces that are up, without loopback and link-local ones; sorted, in canonical form."""

    has_loopback: bool
    """Whether 127.0.0.1 or ::1 is there: a link that is down has no address in the kernel's tables."""
