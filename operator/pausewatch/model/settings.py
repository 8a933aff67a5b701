"""What a user may change; every default is chosen so that nobody has to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRule:
    """Silences a known case; an empty field matches everything.

    Only the operator's settings do this, never a pod's own annotation: a tenant could hide a fault that way.
    """

    check: str = ""
    namespace: str = ""
    pod: str = ""

    def matches(self, *, check: str, namespace: str, pod: str) -> bool:
        """Whether a finding of ``check`` about this pod is to be silenced."""
        return self.check in ("", check) and self.namespace in ("", namespace) and self.pod in ("", pod)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one run."""

    node_name: str = ""
    """Empty: the machine's host name."""

    runtime_endpoint: str = ""
    """``unix:///path`` of the CRI socket; empty: the first one found in the usual places."""

    runtime_timeout_seconds: float = 2.0
    """Limit of one call to the runtime. A healthy one answers in milliseconds; a longer limit only delays the news
    that it hangs."""

    look_interval_seconds: float = 1.0
    """Between the looks of one ``scan``: long enough for a container that is just stopping to be gone."""

    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By check id and threshold name; what is missing has its declared default."""

    ignore: tuple[IgnoreRule, ...] = ()
