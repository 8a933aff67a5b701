"""Damage to a Snapshot for tests: one field of one item, whatever sections and fields there are.

What a field may hold is read from its annotation, so a new section is damaged without a line here.
"""
# ruff: noqa: ANN401  any field of any value

import itertools
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import SECTIONS, Snapshot

NOBODYS_ID = "f" * 64
DAMAGED = Unavailable(reason="Damaged", detail="it could not be read")

SIMPLE_DAMAGE: dict[type, tuple[Any, ...]] = {
    bool: (False, True),
    int: (0, 1, -1, 2**40),
    float: (0.0, -1.0, 1e12),
    str: ("", NOBODYS_ID, "$(reboot) '\u200b"),
    datetime: (datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)),
    types.NoneType: (None,),
    Unavailable: (DAMAGED,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A damaged Snapshot, and what was done to it."""

    what: str
    snapshot: Snapshot


LISTED_BY_OTHERS = ("sandboxes", "containers", "pods", "waiting_pods")
"""What the runtime and the API server list; in the other sections our own sources hold each thing once."""


def every_damage(snapshot: Snapshot) -> Iterator[Damage]:
    """Yield the snapshot with each field of each item of its sections damaged in each way, one at a time.

    Items are removed as well, and a section emptied; what others list may also come twice, or beside a damaged twin.
    """
    for name in (*SECTIONS, "pinned_namespaces", "placements", "changed_owners"):
        section = getattr(snapshot, name)
        if name in LISTED_BY_OTHERS:
            yield from _doubled(snapshot, name, section)
        for what, value in _damaged(section, typing.get_type_hints(Snapshot)[name]):
            yield Damage(what=f"{name}{what}", snapshot=replace(snapshot, **{name: value}))


def _doubled(snapshot: Snapshot, name: str, section: tuple[Any, ...]) -> Iterator[Damage]:
    """Yield the snapshot with items of a section beside their twins: two then claim the same id, pid or address."""
    hint = _of_tuple(typing.get_type_hints(Snapshot)[name])
    for index, item in enumerate(section):
        for what, damaged in ((" itself", item), *_damaged(item, hint)):
            changes: dict[str, Any] = {name: (*section, damaged)}
            yield Damage(what=f"{name}[{index}]{what} added", snapshot=replace(snapshot, **changes))


def _damaged(value: Any, annotation: Any) -> Iterator[tuple[str, Any]]:
    """Yield what else a value of this annotation may be: the path to what was changed, and the value."""
    if isinstance(value, tuple):
        yield from _damaged_tuple(value, _of_tuple(annotation))
    elif is_dataclass(value) and not isinstance(value, Unavailable | type):
        hints = typing.get_type_hints(type(value))
        for field in fields(value):
            for what, damaged in _damaged(getattr(value, field.name), hints[field.name]):
                yield f".{field.name}{what}", replace(value, **{field.name: damaged})
    for kind in _alternatives(annotation):
        for other in tuple(kind) if issubclass(kind, Enum) else SIMPLE_DAMAGE.get(kind, ()):
            if other != value:
                yield f" = {other!r}", other


def _damaged_tuple(items: tuple[Any, ...], annotation: Any) -> Iterator[tuple[str, Any]]:
    if items:
        yield " = ()", ()
    for index, item in enumerate(items):
        before, after = items[:index], items[index + 1 :]
        yield f"[{index}] removed", before + after
        for what, damaged in _damaged(item, annotation):
            yield f"[{index}]{what}", (*before, damaged, *after)


def _of_tuple(annotation: Any) -> Any:
    found = [one for one in _union(annotation) if typing.get_origin(one) is tuple]
    return typing.get_args(found[0])[0] if found else None


def _alternatives(annotation: Any) -> Iterator[type]:
    return (one for one in _union(annotation) if isinstance(one, type))


def _union(annotation: Any) -> tuple[Any, ...]:
    flat = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    parts = typing.get_args(annotation) if flat else (annotation,)
    return tuple(itertools.chain.from_iterable(_union(part) if part is not annotation else (part,) for part in parts))
