"""When the sandboxes of each pod were made, also of those that the kubelet has removed since.

The kubelet removes a replaced sandbox within a minute, so the runtime's list alone can not tell how many there were.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pausewatch.model.sandbox import Sandbox

MOST_BIRTHS = 64
"""Remembered per pod, the newest: a sandbox takes the runtime a good part of a second, and a bound that needs more of
them to see churn is no bound."""

REMEMBERED_SECONDS = 3600.0
"""Older than this beside the pod's newest, a birth is forgotten; no window of a check is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxBirth:
    """One sandbox of a pod was made."""

    created_at_seconds: float
    """Unix time, by the runtime's clock."""

    sandbox_id: str
    attempt: int
    """The kubelet numbers the sandboxes of a pod from 0 while it still finds an earlier one (computePodActions in
    pkg/kubelet/kuberuntime/kuberuntime_manager.go); it begins anew where none is left."""


Births = Mapping[str, tuple[SandboxBirth, ...]]
"""By pod uid, oldest first."""


def births_with(known: Births, sandboxes: Iterable[Sandbox]) -> Births:
    """Return the births known before and those of the listed sandboxes; pods without any listed one are forgotten.

    The kubelet keeps the newest sandbox of a pod, dead or alive, for as long as the pod exists (evictSandboxes in
    pkg/kubelet/kuberuntime/kuberuntime_gc.go), so a pod whose sandboxes are all gone is gone.
    """
    listed: dict[str, list[Sandbox]] = {}
    for sandbox in sandboxes:
        if sandbox.uid and sandbox.created_at_seconds:
            listed.setdefault(sandbox.uid, []).append(sandbox)
    return {uid: _merged(known.get(uid, ()), members) for uid, members in listed.items()}


def made_within(births: tuple[SandboxBirth, ...], seconds: float) -> int:
    """Return how many sandboxes of one pod were made in the last so many seconds before its newest, that one included.

    Those that came and went unseen count by the attempt numbers between those that were seen.
    """
    if not births:
        return 0
    recent = [birth for birth in births if births[-1].created_at_seconds - birth.created_at_seconds <= seconds]
    attempts = [birth.attempt for birth in recent]
    return max(len(recent), max(attempts) - min(attempts) + 1)


def _merged(known: tuple[SandboxBirth, ...], sandboxes: list[Sandbox]) -> tuple[SandboxBirth, ...]:
    seen = {birth.sandbox_id for birth in known}
    new = [sandbox for sandbox in sandboxes if sandbox.id not in seen]
    if not new:
        return known
    made = (
        SandboxBirth(created_at_seconds=one.created_at_seconds, sandbox_id=one.id, attempt=one.attempt) for one in new
    )
    births = sorted((*known, *made), key=lambda birth: (birth.created_at_seconds, birth.sandbox_id))
    newest = births[-1].created_at_seconds
    return tuple(one for one in births[-MOST_BIRTHS:] if newest - one.created_at_seconds <= REMEMBERED_SECONDS)
