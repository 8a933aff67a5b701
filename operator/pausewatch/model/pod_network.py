"""What a pod's own network namespace looks like from inside."""

from dataclasses import dataclass

from pausewatch.model.process import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNetwork:
    """The network namespace of one ready sandbox, read through a process inside it."""

    sandbox_id: str
    process: Identity
    """The one that it was read through: the pause or, without one, the first process of a container."""

    process_owner_id: str
    """The CRI id of the sandbox or container that the process is the first of."""

    addresses: tuple[str, ...]
    """Without loopback and link-local ones; sorted, in canonical form. The kernel keeps IPv4 addresses in its tables
    when their link goes down, and drops IPv6 ones."""

    links_up: tuple[str, ...] | None
    """Names of the interfaces that are up, without loopback; None where the kernel does not tell."""

    has_loopback: bool
    """Whether 127.0.0.1 or ::1 is there and the loopback link is up."""
