"""Snapshots without what tells whose node it is, so that people can send them to strangers. Pure.

``redact`` removes the node's name and the registries of images. ``with_pseudonyms`` removes names as well.

Everything else remains, because findings rest on it: the ids of sandboxes and containers, pod uids, pids, start times,
numbers and paths of Linux namespaces, the addresses of pods, the last component of image names with its tag or digest,
the names of runtime handlers, the endpoint's path, permissions, the paths of the cgroups of containers, what pauses
use; and, without pseudonyms, the names of pods, namespaces, containers, processes and pauses' programs. A command line,
environment, label or annotation never is in a Snapshot.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.pause_usage import PauseUsage
from pausewatch.model.pod import Pod, WaitingPod
from pausewatch.model.process import Process
from pausewatch.model.sandbox import Container, Sandbox
from pausewatch.model.snapshot import ChangedOwner, Snapshot

NODE = "node"
REGISTRY = "redacted"

PROCESS = "process"

KINDS_OF_NAMES = {
    (Sandbox, "namespace"): "namespace",
    (Sandbox, "name"): "pod",
    (Pod, "namespace"): "namespace",
    (Pod, "name"): "pod",
    (Container, "name"): "container",
    (Process, "name"): PROCESS,
    (PauseUsage, "program"): PROCESS,
}
"""Which fields hold a name that people chose, and the pseudonym's first word."""

SENTENCES = (Unavailable, AccessFact, ChangedOwner, WaitingPod)
"""Whose texts may quote the runtime, and with it names and hosts that stand nowhere else."""

HOST = r"(?:[A-Za-z0-9][\w-]*\.)+[A-Za-z]{2,}(?::\d+)?"
"""A dotted name. Some that name no host, such as a gRPC service's, match too: rather too much is removed than too
little."""

URL_IN_TEXT = re.compile(r"(?<!\w)(?!unix:)[A-Za-z][\w+.-]*://[^\s\"]+")
IMAGE_IN_TEXT = re.compile(rf"(?<![\w./-])(?:{HOST}|[\w.-]+:\d+)/(?:[\w.-]+/)*([\w.:@-]+)")
HOST_IN_TEXT = re.compile(rf"(?<![\w./-]){HOST}(?![\w/-])")

Rewrite = Callable[[type, str, str], str]
"""Gets the type and the field that hold a text, and the text; returns what is to stand there."""


def redact(snapshot: Snapshot) -> Snapshot:
    """Return the Snapshot without the node's name and the registries of images."""
    node = _any_of({snapshot.node_name, snapshot.node_name.partition(".")[0]})

    def rewrite(owner: type, field: str, text: str) -> str:
        if (owner, field) == (Snapshot, "node_name"):
            return NODE
        without_node = node.sub(NODE, text)
        if field == "image":
            return _without_registry(without_node)
        if owner in SENTENCES:
            without_url = URL_IN_TEXT.sub(REGISTRY, without_node)
            without_image = IMAGE_IN_TEXT.sub(rf"{REGISTRY}/\1", without_url)
            return HOST_IN_TEXT.sub(REGISTRY, without_image)
        return without_node

    redacted: Snapshot = _rewritten(snapshot, rewrite)
    return redacted


def with_pseudonyms(looks: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """Return Snapshots whose pods, namespaces, containers and processes are called ``pod-1``, ``process-12``, ...

    The same name becomes the same pseudonym in all of them, so that findings stay comparable.
    """
    originals = tuple(looks)
    pseudonyms = _pseudonyms(originals)
    # No sentence quotes a process's own name, and many are words of sentences and paths: containerd, run, sh.
    in_sentences = {name: pseudonym for (kind, name), pseudonym in pseudonyms.items() if kind != PROCESS}
    any_name = _any_of(in_sentences)

    def rewrite(owner: type, field: str, text: str) -> str:
        kind = KINDS_OF_NAMES.get((owner, field))
        if kind is not None:
            return pseudonyms[kind, text]
        if owner in SENTENCES:
            return any_name.sub(lambda match: in_sentences[match[0]], text)
        return text

    return tuple(_rewritten(look, rewrite) for look in originals)


def _without_registry(image: str) -> str:
    """Return the last component of an image's name: the components before it tell the organisation."""
    registry, slash, name = image.rpartition("/")
    return f"{REGISTRY}/{name}" if registry or slash else image


def _pseudonyms(looks: tuple[Snapshot, ...]) -> Mapping[tuple[str, str], str]:
    """Number the names of each kind in the order in which they appear, which tells nothing about them."""
    found: dict[tuple[str, str], str] = {}
    numbers = dict.fromkeys(KINDS_OF_NAMES.values(), 0)

    def collect(owner: type, field: str, text: str) -> str:
        kind = KINDS_OF_NAMES.get((owner, field))
        if kind is not None and (kind, text) not in found:
            numbers[kind] += 1
            found[kind, text] = f"{kind}-{numbers[kind]}"
        return text

    for look in looks:
        _rewritten(look, collect)
    return found


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Match any of the names where it stands as a whole; the name of a static pod ends in the node's."""
    longest_first = sorted(filter(None, names), key=lambda name: (-len(name), name))
    either = "|".join(re.escape(name) for name in longest_first) or "(?!)"
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])")


def _rewritten(value: Any, rewrite: Rewrite) -> Any:  # noqa: ANN401  walks values of every type
    """Return a dataclass with every text in it rewritten, at any depth.

    Every text, not a list of known fields: a field that is added to the model later must not leak.
    """
    changes = {one.name: _rewritten_field(value, one.name, rewrite) for one in fields(value)}
    return replace(value, **changes)


def _rewritten_field(owner: Any, field: str, rewrite: Rewrite) -> Any:  # noqa: ANN401  see above
    def rewritten(value: Any) -> Any:  # noqa: ANN401  see above
        if isinstance(value, str) and not isinstance(value, Enum):
            return rewrite(type(owner), field, value)
        if isinstance(value, tuple):
            return tuple(rewritten(item) for item in value)
        return _rewritten(value, rewrite) if is_dataclass(value) else value

    return rewritten(getattr(owner, field))
