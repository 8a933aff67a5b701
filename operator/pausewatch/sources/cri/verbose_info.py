"""The JSON that a runtime adds to a status when it is asked to be verbose: ``info["info"]``.

The CRI leaves its content to the runtime, so every key is optional and every type is checked: what is missing or
odd reads as absent. Tests hold recorded answers of containerd, CRI-O and gVisor. The part below ``runtimeSpec`` is
the OCI runtime specification (opencontainers/runtime-spec, config.md and config-linux.md)::

    {"pid": 31622, "image": "localhost/pause:1", "runtimeType": "io.containerd.runc.v2",
     "runtimeSpec": {"linux": {"namespaces": [{"type": "network", "path": "/var/run/netns/cni-cf84…"}]}}}
"""

import json
from collections.abc import Mapping
from typing import TypeAlias

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import SpecNamespace
from pausewatch.model.text import printable

JsonObject: TypeAlias = Mapping[str, object]

KINDS: Mapping[object, NamespaceKind] = {kind.value: kind for kind in NamespaceKind}
"""By the name that the specification uses; it names others (mount, cgroup, time) that a pod never shares."""


MOST_NAMESPACES = 16
"""Entries of a specification that are looked at. Linux has eight kinds, and no runtime takes one twice."""


def parse_info(info: Mapping[str, str]) -> JsonObject | Unavailable:
    """Return the object in ``info["info"]``; empty where the runtime tells nothing (cri-dockerd)."""
    text = info.get("info", "")
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _unreadable(f"is no JSON: {error}")
    return value if isinstance(value, dict) else _unreadable("is no JSON object")


def part(whole: JsonObject, *keys: str) -> JsonObject:
    """Return the object below ``keys``; empty if any of them is absent."""
    for key in keys:
        value = whole.get(key)
        if not isinstance(value, dict):
            return {}
        whole = value
    return whole


def text(whole: JsonObject, key: str) -> str:
    """Return a text, escaped; empty if absent."""
    value = whole.get(key)
    return printable(value) if isinstance(value, str) else ""


def number(whole: JsonObject, key: str) -> int | None:
    """Return a number that is not negative, 0 if absent (Go leaves zero values out); None if it is anything else."""
    value = whole.get(key, 0)
    return value if type(value) is int and value >= 0 else None  # bool is a subclass of int


def spec_namespaces(info: JsonObject) -> tuple[SpecNamespace, ...] | None:
    """Return ``runtimeSpec.linux.namespaces`` without the kinds that a pod never shares; None without a specification.

    None too for an empty specification, which a runtime gives for a sandbox that it knows only from its records.
    """
    specification = part(info, "runtimeSpec")
    if not specification:
        return None
    entries = part(specification, "linux").get("namespaces")
    if not isinstance(entries, list):
        return ()
    return tuple(
        SpecNamespace(kind=KINDS[entry["type"]], path=text(entry, "path"))
        for entry in entries[:MOST_NAMESPACES]
        if isinstance(entry, dict) and isinstance(entry.get("type"), str) and entry["type"] in KINDS
    )


def annotation(info: JsonObject, key: str) -> str:
    """Return an annotation of the specification, escaped; empty if absent."""
    return text(part(info, "runtimeSpec", "annotations"), key)


def may_gain(info: JsonObject, capability: str) -> bool | None:
    """Return whether a capability is in the bounding set; None if the specification tells no capabilities.

    An object without a ``bounding`` list is a container that has none: Go leaves an empty list out.
    """
    process = part(info, "runtimeSpec", "process")
    if not isinstance(process.get("capabilities"), dict):
        return None
    bounding = part(process, "capabilities").get("bounding")
    return isinstance(bounding, list) and capability in bounding


def cni_directory(status_info: Mapping[str, str]) -> str:
    """Return where a runtime has its CNI configuration, from its verbose status; empty if it does not tell.

    containerd dumps go-cni's state under the key ``cniconfig``: ``{"PluginConfDir": "/etc/cni/net.d", ...}``.
    """
    try:
        value = json.loads(status_info.get("cniconfig", ""))
    except (ValueError, RecursionError):
        return ""
    directory = value.get("PluginConfDir") if isinstance(value, dict) else None
    return directory if isinstance(directory, str) and directory.startswith("/") else ""


def _unreadable(cause: str) -> Unavailable:
    return Unavailable(
        reason="StatusUnreadable",
        detail=f"the information that the runtime adds to a verbose status {cause}",
        remedy="report it, with the runtime's version and the output of crictl inspect or inspectp",
    )
