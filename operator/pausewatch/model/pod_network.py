"""What a pod's own network namespace looks like from inside."""

import shlex
from dataclasses import dataclass

from pausewatch.model.process import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNetwork:
    """The network namespace of one ready sandbox, read through a process inside it."""

    sandbox_id: str
    process: Identity | None
    """The one that it was read through: the pause or, without one, the first process of a container; None where the
    deep probe entered it by its file."""

    process_owner_id: str
    """The CRI id of the sandbox or container that the process is the first of."""

    addresses: tuple[str, ...]
    """Without loopback and link-local ones; sorted, in canonical form. The kernel keeps IPv4 addresses in its tables
    when their link goes down, and drops IPv6 ones."""

    links_up: tuple[str, ...] | None
    """Names of the interfaces that are up, without loopback; None where the kernel does not tell."""

    has_loopback: bool
    """Whether 127.0.0.1 or ::1 is there and the loopback link is up."""

    path: str = ""
    """The file that it was entered by, as the runtime sees it; empty where a process was."""

    @property
    def seen_through(self) -> str:
        """What it was read through, in words."""
        return self.path if self.process is None else f"pid {self.process.pid}"

    @property
    def nsenter_options(self) -> str:
        """The options of nsenter(1) that lead inside, quoted for a shell."""
        return f"--net={shlex.quote(self.path)}" if self.process is None else f"--target {self.process.pid} --net"
