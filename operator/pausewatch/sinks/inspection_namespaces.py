"""What can be said of one Linux namespace of a container, as values that all outputs render."""

from dataclasses import dataclass
from enum import StrEnum

from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.namespace_owners import Owner, OwnerKind
from pausewatch.model.sharing import Expected, NamespaceJudgement


class Verdict(StrEnum):
    """What can be said of one Linux namespace of a container."""

    SHARED = "SharedWithSandbox"
    OWN = "Own"
    HOST = "Host"
    TARGET = "SharedWithTarget"
    WRONG = "Wrong"
    NOT_JUDGED = "NotJudged"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceFacts:
    """One Linux namespace of a container's first process."""

    kind: NamespaceKind
    link: str
    """``net:[4026532301]``."""

    verdict: Verdict
    owner: str
    """Whose it is, in words."""

    expected: str = ""
    """What it should be, in words, where it is wrong."""

    not_judged: str = ""
    """Why nothing can be said."""


def namespace_facts(judgement: NamespaceJudgement) -> NamespaceFacts:
    """Return what can be said of one Linux namespace of a container."""
    return NamespaceFacts(
        kind=judgement.kind,
        link=namespace_text(judgement.kind, judgement.inode),
        verdict=_verdict(judgement),
        owner=owner_text(judgement.owner),
        expected="" if judgement.as_expected else _expected(judgement),
        not_judged=judgement.not_judged,
    )


def owner_text(owner: Owner) -> str:
    """Return whose a Linux namespace is, seen from a container, as the end of a sentence."""
    match owner.kind:
        case OwnerKind.HOST:
            return "the node"
        case OwnerKind.OWN_SANDBOX:
            return "its sandbox"
        case OwnerKind.OWN_CONTAINER:
            return "this container"
        case OwnerKind.NOBODY:
            return "no known pod"
        case OwnerKind.SIBLING | OwnerKind.OTHER_POD:
            pod = f"pod {owner.sandbox.namespace}/{owner.sandbox.name}" if owner.sandbox else "another pod"
            container = f"container {owner.container.name}" if owner.container else ""
            if owner.kind is OwnerKind.SIBLING:
                return f"sibling {container}"
            return f"{container} of {pod}" if container else pod


def _verdict(judgement: NamespaceJudgement) -> Verdict:
    if judgement.expectation is None:
        return Verdict.NOT_JUDGED
    if not judgement.as_expected:
        return Verdict.WRONG
    match judgement.expectation.whose:
        case Expected.SANDBOX:
            return Verdict.SHARED
        case Expected.HOST:
            return Verdict.HOST
        case Expected.TARGET:
            return Verdict.TARGET
        case Expected.NOBODY:
            return Verdict.OWN


def _expected(judgement: NamespaceJudgement) -> str:
    expectation = judgement.expectation
    if expectation is None or expectation.inode is None:
        return "one of its own"
    of = {Expected.HOST: "the node", Expected.TARGET: "its target container"}.get(expectation.whose, "the sandbox")
    return f"{namespace_text(judgement.kind, expectation.inode)} of {of}"
