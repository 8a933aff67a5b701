"""Names that somebody chose to harm whoever reads or types them, and nodes that are full of them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TypeVar

from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable

T = TypeVar("T")

LONG = "A" * 100_000

HOSTILE: tuple[bytes | str, ...] = (
    b"\x1b]0;owned\x07\x1b[2J\x1b[31m",  # the title, the screen and the colours of a terminal
    b"\r\n2026-11-21T09:14:03Z cleared Critical everything\n",
    "\u202egnp.exe\u2066\u200b\u2028\u2029",  # reads otherwise than it is
    b"\xff\xfe\x80 \xc3",  # no UTF-8
    b"\x00\x7f\x08\x08\x08ok\x9b2J",
    '"} evil_total{a="1"} 1\n# HELP x y\\',
    "'; touch owned; '",
    '"; touch owned; "',
    "$(touch owned) `touch owned` ${IFS}touch${IFS}owned",
    "& touch owned | touch owned > owned",
    "\n touch owned\n",
    "\\'; touch owned #",
    "[bold red]x[/] :boom: [link=http://x]y[/link]",
    "{{ x }} %s %(a)s {0}",
    "a: b # c\n- d\n--- !!python/object:os.system",
    "\u0301" * 50,
    LONG,
)
"""As bytes where a process gives them; texts may come from whoever talks to the container runtime."""

DECISIVE = frozenset(
    {"state", "runtime_type", "runtime_handler", "runtime_namespace", "cgroup_version", "boot_id", "node_name"}
)
"""Fields that decide what something is: renamed, there would be nothing to find. The node's name is ours to choose."""

CHOSEN_BY_A_PROCESS = frozenset({"name of Process", "program of PauseUsage", "cgroup_path of Membership"})
"""What a program on the node can call itself, without any right: its name, its file, cgroups below its own."""


def hostile(text: str, more: bytes | str) -> str:
    """Return a text with something hostile behind it, as the parsers of this program let it through."""
    tail = more if isinstance(more, str) else more.decode("utf-8", "surrogateescape")
    return printable(f"{text}{tail}")


def with_names(snapshot: Snapshot, rename: Callable[[str], str], only: Collection[str] = ()) -> Snapshot:
    """Return a node on which every text is another one: equal texts stay equal, so that what belongs together does.

    Args:
        snapshot: The node.
        rename: Called with each text that is not empty.
        only: ``FIELD of TYPE``; nothing for all fields that are not decisive.
    """
    return _renamed(snapshot, "", rename, only)


def _renamed(value: T, place: str, rename: Callable[[str], str], only: Collection[str]) -> T:
    changed: object = value
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        changed = replace(
            value,
            **{
                one.name: _renamed(getattr(value, one.name), f"{one.name} of {kind}", rename, only)
                for one in fields(value)
                if one.name not in DECISIVE and f"{one.name} of {kind}" != "name of Runtime"
            },
        )
    elif isinstance(value, tuple):
        changed = tuple(_renamed(one, place, rename, only) for one in value)
    elif isinstance(value, Mapping):
        changed = {name: _renamed(one, place, rename, only) for name, one in value.items()}
    elif isinstance(value, str) and not isinstance(value, Enum) and value and (not only or place in only):
        changed = rename(value)
    return changed  # type: ignore[return-value]  # a value of the same type
