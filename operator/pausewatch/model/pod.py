"""Pods as the API server knows them, reduced to what a node can be compared with."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod that is bound to this node."""

    namespace: str
    name: str
    uid: str
    """As the kubelet knows it, which is the uid of its sandboxes: for a mirror pod the hash of the static pod's
    manifest (annotation ``kubernetes.io/config.mirror``), else ``metadata.uid``."""

    deletion_grace_seconds: float | None
    """How long it may take to end since its deletion was asked for; None while nobody did."""

    deletion_due_at: datetime | None = None
    """When it should have ended: ``metadata.deletionTimestamp``, which is the request's time and the grace period
    together; None while nobody asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPod:
    """A pod that is bound to this node, not at its end, and has no ready sandbox."""

    uid: str
    """As in ``Pod``."""

    error: str
    """The runtime's words in the latest Event ``FailedCreatePodSandBox``, escaped; empty without one: waiting for a
    volume looks the same otherwise."""

    last_failed_at: datetime | None
    """When that Event happened last."""
