"""Looks at a node in one JSON file, to be judged again anywhere.

The file holds what was read, not what was found: another version, or other thresholds, can judge it anew. What is left
out, and what remains, is told by ``redaction``.
"""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from enum import Enum, StrEnum
from functools import partial
from pathlib import Path
from types import GenericAlias, UnionType
from typing import Any, NoReturn, get_args

from cattrs import Converter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.redaction import redact, with_pseudonyms
from pausewatch.version import program_version

KIND = "PausewatchRecording"
SCHEMA_VERSION = 3
"""Counts up with every change to the values of a Snapshot: a reader that does not know a field would judge by less
than was seen."""

UNAVAILABLE_KEY = "unavailable"
"""Marks a section that could not be read, so that it is never mistaken for one that holds nothing."""


PRIMITIVES = {int: "whole number", float: "number", bool: "true or false"}

Structure = Callable[[Any, Any], Any]
"""Gets a JSON value and the type that is wanted; returns the model's value or raises."""


class RecordingError(Exception):
    """A recording can not be read or written; the text is one line for people."""


class Redaction(Enum):
    """How much a recording tells about whose node it is."""

    NONE = "none"
    HOSTS = "hosts"
    """Without the node's name and the registries of images."""

    NAMES = "names"
    """With pseudonyms for pods, namespaces, containers and processes as well."""


def render(looks: Sequence[Snapshot], redaction: Redaction = Redaction.HOSTS) -> str:
    """Return the text of a recording."""
    kept = tuple(looks) if redaction is Redaction.NONE else tuple(redact(look) for look in looks)
    if redaction is Redaction.NAMES:
        kept = with_pseudonyms(kept)
    converter = _converter()
    recording = {
        "kind": KIND,
        "schemaVersion": SCHEMA_VERSION,
        "pausewatchVersion": program_version(),
        "redacted": redaction is not Redaction.NONE,
        "looks": [converter.unstructure(look) for look in kept],
    }
    # One value a line: people look through it before they send it.
    return json.dumps(recording, indent=1, allow_nan=False) + "\n"


def parse(text: str) -> tuple[Snapshot, ...]:
    """Return the looks in a recording, oldest first.

    Raises:
        RecordingError: It is damaged, no recording, of another schema, or a value has the wrong type.
    """
    try:
        recording = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"no complete JSON ({error}); record it again, or copy the whole file") from error
    if not isinstance(recording, dict) or recording.get("kind") != KIND:
        raise RecordingError("no recording of pausewatch; make one with: pausewatch record FILE")
    schema = recording.get("schemaVersion")
    maker = printable(str(recording.get("pausewatchVersion", "of unknown version")))
    if schema != SCHEMA_VERSION:
        raise RecordingError(
            f"made by pausewatch {maker} with schema {printable(str(schema))}; this program reads {SCHEMA_VERSION}:"
            " use the version that made it, or a newer one"
        )
    looks = recording.get("looks")
    if not isinstance(looks, list) or not looks:
        raise RecordingError("holds no look at a node; record it again")
    try:
        return _converter().structure(looks, tuple[Snapshot, ...])
    except Exception as error:
        raise RecordingError(f"damaged since pausewatch {maker} made it: {_first_problem(error)}") from error


def read(path: Path) -> tuple[Snapshot, ...]:
    """Return the looks in a recording's file, oldest first.

    Raises:
        RecordingError: The file can not be read, or see ``parse``.
    """
    name = printable(str(path))
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordingError(f"recording {name}: {error.strerror}; name a file that pausewatch record wrote") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"recording {name}: no text in UTF-8; is it compressed?") from error
    except RecordingError as error:
        raise RecordingError(f"recording {name}: {error}") from error


def write(path: Path, looks: Sequence[Snapshot], redaction: Redaction = Redaction.HOSTS) -> None:
    """Write a recording that only its owner may read (mode 0600); a reader sees all of it or none.

    Raises:
        RecordingError: The file can not be written.
    """
    name = printable(str(path))
    text = render(looks, redaction)
    try:
        if path.exists() and not path.is_file():
            # Renaming a file over /dev/null would replace the device for every program of the node.
            raise RecordingError(f"{name} is no regular file; write to another path, or to standard output with -")
        _write_whole(path, text)
    except OSError as error:
        raise RecordingError(f"can not write {name}: {error.strerror}; write to another path") from error


def _write_whole(path: Path, text: str) -> None:
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _converter() -> Converter:
    """Return what translates model values; strict, because a value that is nearly right was damaged."""
    converter = Converter()
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook(Unavailable, _marked(make_dict_unstructure_fn(Unavailable, converter)))
    converter.register_structure_hook(datetime, _datetime)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(StrEnum, lambda value, wanted: wanted(_text(value, str)))
    for primitive in PRIMITIVES:
        converter.register_structure_hook(primitive, _primitive)
    converter.register_structure_hook_factory(is_dataclass, partial(_object_only, converter))
    converter.register_structure_hook_factory(_is_tuple, partial(_list_only, converter))
    converter.register_structure_hook_factory(_may_be_unavailable, partial(_unless_unavailable, converter))
    return converter


def _marked(unstructure: Callable[[Unavailable], Any]) -> Callable[[Unavailable], dict[str, Any]]:
    return lambda value: {UNAVAILABLE_KEY: unstructure(value)}


def _may_be_unavailable(wanted: Any) -> bool:  # noqa: ANN401  a type of any form
    return isinstance(wanted, UnionType) and Unavailable in get_args(wanted)


def _unless_unavailable(converter: Converter, wanted: Any) -> Structure:  # noqa: ANN401  see above
    (readable,) = (one for one in get_args(wanted) if one is not Unavailable)

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401  JSON
        if isinstance(value, dict) and UNAVAILABLE_KEY in value:
            return converter.structure(value[UNAVAILABLE_KEY], Unavailable)
        return converter.structure(value, readable)

    return structure


def _is_tuple(wanted: Any) -> bool:  # noqa: ANN401  a type of any form
    return isinstance(wanted, GenericAlias) and wanted.__origin__ is tuple


def _object_only(converter: Converter, wanted: Any) -> Structure:  # noqa: ANN401  a type of any form
    return _only(dict, "object", make_dict_structure_fn(wanted, converter, _cattrs_forbid_extra_keys=True))


def _list_only(converter: Converter, wanted: Any) -> Structure:  # noqa: ANN401  a type of any form
    return _only(list, "list", homogenous_tuple_structure_factory(wanted, converter))


def _only(accepted: type, what: str, structure: Structure) -> Structure:
    """Refuse other JSON values before ``structure`` takes them for something: a text is a tuple of letters to it."""

    def checked(value: Any, wanted: Any) -> Any:  # noqa: ANN401  JSON
        if not isinstance(value, accepted):
            raise ValueError(f"{_shown(value)} is no {what}")  # noqa: TRY004  collected as ValueError
        return structure(value, wanted)

    return checked


def _datetime(value: Any, _: Any) -> datetime:  # noqa: ANN401  JSON
    moment = datetime.fromisoformat(_text(value, str))
    if moment.tzinfo is None:
        raise ValueError(f"{_shown(value)} is a time without a time zone")
    return moment


def _text(value: Any, _: Any) -> str:  # noqa: ANN401  JSON
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is no text")  # noqa: TRY004  collected as ValueError
    # Sources escape what they read, so these can only come from somebody who wants to reach a reader's terminal.
    plain = value.replace("\\", "")
    if printable(plain, longest=len(plain)) != plain:
        raise ValueError(f"{_shown(value)} holds control characters")
    return value


def _primitive(value: Any, wanted: Any) -> Any:  # noqa: ANN401  JSON
    # Python takes True for 1, and JSON writers may write 1.0 as 1.
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        raise ValueError(f"{_shown(value)} is no {PRIMITIVES[wanted]}")
    return wanted(value)


def _shown(value: Any) -> str:  # noqa: ANN401  JSON
    return printable(repr(value), longest=40)


def _first_problem(error: Exception) -> str:
    why, _, path = transform_error(error, path="looks", format_exception=_why)[0].rpartition(" @ ")
    return f"{path} {why}"


def _why(error: BaseException, _: Any) -> str:  # noqa: ANN401  a type of any form
    if isinstance(error, KeyError):
        return "is missing"
    if isinstance(error, ForbiddenExtraKeysError):
        return f"has unknown fields {', '.join(sorted(printable(name) for name in error.extra_fields))}"
    return str(error)
