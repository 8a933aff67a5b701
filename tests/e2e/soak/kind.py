"""What a kind of fault is: how it is made and healed, and which finding tells of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from e2e.soak.scene import Scene


class Told(NamedTuple):
    """A finding, as far as the metrics tell it."""

    reason: str
    severity: str
    pod: str
    """Its name; empty if the finding is about the node."""


class When(Enum):
    """When a fault can be there: a kubelet that works undoes some within seconds, and others need it."""

    ATTENDED = "while the kubelet works"
    UNATTENDED = "while there is no kubelet"
    ANY_TIME = "any time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault.

    Attributes:
        name: A name of pods begins with it.
        check: Which check has to find it.
        reason: Of its finding.
        severity: Of its finding; while it is young it may be told with another one.
        make: A context in which the fault is there: it returns when it is, and heals it in the end.
        when: When it can be there.
        pods: How many healthy pods it takes, which are made before; the finding is about the first.
        about_node: Whether the finding is about the node and no pod.
        also: Reasons of other findings that rightly tell of the same fault.
        ripe: Whether it is made as old as it would have to become: only the scans of its check are left to wait for.
        later_seconds: How much later than at the end of ``make`` begins what the check declares.
        later_scans: The same in scans.
        bears_restart: Whether it stays as it is while the runtime is restarted.
        restarts_runtime: Whether the runtime is restarted to make it, and to heal it.
    """

    name: str
    check: str
    reason: str
    severity: str
    make: Callable[[Scene], AbstractContextManager[None]]
    when: When
    pods: int = 0
    about_node: bool = False
    also: tuple[str, ...] = ()
    ripe: bool = False
    later_seconds: float = 0
    later_scans: int = 0
    bears_restart: bool = True
    restarts_runtime: bool = False

    def finding(self, number: int) -> Told:
        """What has to be told of the fault with this number."""
        return Told(self.reason, self.severity, "" if self.about_node else self.pod_name(number))

    def pod_name(self, number: int, index: int = 0) -> str:
        """What the fault's pods are called: of each fault differently."""
        return f"{self.name}-{number}" + (f"-{index}" if index else "")

    def explains(self, number: int, told: Told) -> bool:
        """Whether a finding is rightly told of the fault with this number, as long as it is there."""
        if told.reason not in (self.reason, *self.also):
            return False
        return self.about_node if not told.pod else told.pod == self.pod_name(number)
