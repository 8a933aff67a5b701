"""What is odd about the report as the API server has it: others may own it, hold it, or change it on its way.

An agent writes the status of its report and nothing else of it. What somebody else has made of the rest stays, works,
and is told, with what to do.
"""

import json
from collections.abc import Iterator
from datetime import datetime

from pausewatch.cluster.report_content import content_hash
from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable
from pausewatch.sinks.report import Object

LARGE_METADATA_BYTES = 16_384
"""Of the report's metadata as JSON, about as much as its status in ordinary life. All annotations of an object may take
262,144 (apimachinery: pkg/api/validation/objectmeta.go, TotalAnnotationSizeLimitB): times 5,000 nodes, in etcd and in
the memory of the API server and of everybody who watches reports."""

MOST_PATHS = 5
LONGEST_PATH = 80
MOST_NAMES = 3
LONGEST_NAME = 80

CONTESTED = Unavailable(
    reason="ReportContested",
    detail="somebody else writes another status again and again: each is put right with the next heartbeat only",
    remedy="look for a second agent of this node, perhaps of another version or outside of the cluster (kubectl get"
    " pods --all-namespaces --output=wide), and for who else writes: kubectl get psr --output=yaml"
    " --show-managed-fields",
)
"""Two that see the node differently would fill the API server, and people would see the report flap."""


def remark(stored: Object, changed: tuple[str, ...], node_name: str) -> Unavailable | None:
    """Return what people should know of the stored report, the worst first; None if all is as it should be.

    Args:
        stored: The object.
        changed: From ``changed_paths``, of the last write.
        node_name: Whose report it is; it is to be owned by the Node of this name, and go with it.
    """
    metadata = stored["metadata"]
    delete = f"delete it: kubectl delete psr {node_name}; the agent makes another one"
    finalizers = metadata.get("finalizers") or []
    if changed:
        return Unavailable(
            reason="ReportChangedOnTheWay",
            detail=f"the API server has stored something else than was sent: {', '.join(changed[:MOST_PATHS])}"
            f"{' and more' if len(changed) > MOST_PATHS else ''}",
            remedy="bring the CustomResourceDefinition of PodSandboxReport and the agent to one version; else look for"
            " an admission webhook or policy that changes podsandboxreports/status",
        )
    if finalizers:
        is_deleted = metadata.get("deletionTimestamp")
        return Unavailable(
            reason="ReportHeldByFinalizer",
            detail=f"the report {'is being deleted, and held' if is_deleted else 'will be held when it is deleted'} by"
            f" the finalizers {_names(finalizers)}; pausewatch sets none",
            remedy=f"find out whose they are; to remove them: kubectl patch psr {node_name} --type=merge"
            """ --patch='{"metadata": {"finalizers": null}}'""",
        )
    owners = metadata.get("ownerReferences") or []
    if [(one.get("kind"), one.get("name")) for one in owners] != [("Node", node_name)]:
        told = _names([f"{one.get('kind')}/{one.get('name')}" for one in owners]) if owners else "nobody"
        return Unavailable(
            reason="ReportWithOtherOwner",
            detail=f"the report is owned by {told} and not by Node {node_name} alone: it will not go with that Node",
            remedy=delete,
        )
    size = len(json.dumps(metadata))
    if size > LARGE_METADATA_BYTES:
        return Unavailable(
            reason="ReportMetadataLarge",
            detail=f"somebody has put {size} bytes of metadata on the report, which every reader has to carry",
            remedy=f"remove the annotations and labels that are not needed, or {delete}",
        )
    return None


def changed_paths(sent: object, stored: object) -> tuple[str, ...]:
    """Return where a stored status differs from the one that was sent, each place of a list's items once.

    What the API server drops, because the definition in force lacks it, is told as much as what a webhook, a policy or
    a default of another version of the definition has changed or added.
    """
    return tuple(sorted(set(_changes("status", sent, stored))))


def taken_at(status: Object) -> datetime | None:
    """Return when the look was taken that a status tells of; None if it does not say, or not where on earth."""
    try:
        moment = datetime.fromisoformat(status["reportTime"])
    except (KeyError, ValueError, TypeError):
        return None
    return None if moment.tzinfo is None else moment


def is_later(status: Object, before: Object) -> bool:
    """Return whether a status tells of a later look than another one; not if either does not say."""
    moment, other = taken_at(status), taken_at(before)
    return moment is not None and other is not None and moment > other


def is_of_another_agent(status: Object, ours: Object, now: datetime) -> bool:
    """Whether somebody else looked at the node: later than our own look tells, or with the same result.

    Who edits by hand leaves the time of the look. One that is still to come is nobody's, and would keep us from
    writing until then.
    """
    moment = taken_at(status)
    if status == ours or (moment is not None and moment > now):
        return False
    says_the_same = content_hash(status) == content_hash(ours) and status.get("summary") == ours.get("summary")
    return says_the_same or is_later(status, ours)


def _changes(path: str, sent: object, stored: object) -> Iterator[str]:
    if isinstance(sent, dict) and isinstance(stored, dict):
        for key in sent.keys() | stored.keys():
            below = f"{path}.{key}"
            if key not in stored:
                yield f"{_shown(below)} is dropped"
            elif key not in sent:
                yield f"{_shown(below)} is added"
            else:
                yield from _changes(below, sent[key], stored[key])
    elif isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        for one, other in zip(sent, stored, strict=True):
            yield from _changes(f"{path}[]", one, other)
    elif sent != stored:
        yield f"{_shown(path)} is changed"


def _shown(path: str) -> str:
    return printable(path, longest=LONGEST_PATH)


def _names(names: list[str]) -> str:
    told = ", ".join(printable(str(one), longest=LONGEST_NAME) for one in names[:MOST_NAMES])
    return f"{told} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else told
