"""What evaluate remembers from one scan to the next. Losing it costs only ``first seen`` and delay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from pausewatch.model.process import Identity
from pausewatch.model.report import Observation
from pausewatch.model.sandbox_births import Births
from pausewatch.model.zombie_growth import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """One finding id over consecutive scans."""

    check: str
    observation: Observation
    """As last seen."""

    first_seen_at: datetime
    first_seen_uptime_seconds: float
    looks: int
    """Consecutive scans in which it was seen."""

    clean_looks: int
    """Consecutive scans since in which its check ran and did not see it."""

    reported: bool
    """Whether it lasted long enough to become a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodMemory:
    """What is remembered of the pod of one sandbox, in either state."""

    grace_seconds: float
    """The longest grace period it was ever seen to be deleted with; the API server forgets it with the pod."""

    absent_since: float | None
    """Boot-clock seconds of the first scan that did not find it in the API; None while it is there."""

    deleting_since: float | None = None
    """Boot-clock seconds of the first scan in which its deletion had been asked for; None while nobody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Passed into and out of ``evaluate``."""

    boot_id: str = ""
    streaks: Mapping[str, Streak] = field(default_factory=lambda: MappingProxyType({}))
    """By finding id."""

    zombies_seen_since: Mapping[Identity, float] = field(default_factory=lambda: MappingProxyType({}))
    """Boot-clock seconds at which each living zombie was first seen. /proc tells when a process started, not when
    it died, so this is the only honest age of a zombie."""

    zombie_counts: Counts = field(default_factory=lambda: MappingProxyType({}))
    """A few earlier numbers of zombies of each container that has any: how fast they grow."""

    pods: Mapping[str, PodMemory] = field(default_factory=lambda: MappingProxyType({}))
    """By the id of their sandboxes."""

    waiting_since: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Boot-clock seconds of the first scan in which a pod was known to wait for a sandbox; by the pod's uid."""

    lost_since: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Boot-clock seconds of the first scan that missed the process of a running container, or the pause of a sandbox
    with running containers; by their CRI ids."""

    sandbox_births: Births = field(default_factory=lambda: MappingProxyType({}))

    restored_first_seen: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    """First-seen times by finding id, from a report that an earlier run of the agent left: they survive its restart."""

    restored_until_uptime_seconds: float = 0
    """Boot-clock seconds after which a restored time no longer counts: a finding that comes back later is a new one."""
