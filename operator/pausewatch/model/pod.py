"""Pods as the API server knows them, reduced to what a node can be compared with."""

from dataclasses import dataclass


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
