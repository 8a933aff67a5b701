"""What the value of a setting may be. Each reader returns the value or raises ValueError with what is allowed."""

import math
from typing import Any

import yaml

from pausewatch.model.availability import Unavailable
from pausewatch.model.settings import parse_listen_address
from pausewatch.sources.cri.endpoint import parse_endpoint

LONGEST_SHOWN = 60
"""Characters of a bad value in a message."""

NO_WIDTH = 1_000_000
"""Characters of a line of YAML: none is broken."""


def text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no text; put it in quotes")  # noqa: TRY004  collected as ValueError
    return value


def switch(value: object) -> bool:
    """Return a bool, which YAML gives as one and the environment as a word."""
    known = {"true": True, "false": False}
    word = str(value).lower() if isinstance(value, bool | str) else ""
    if word not in known:
        raise ValueError(f"{shown(value)} is neither true nor false")
    return known[word]


def endpoint(value: object) -> str:
    """Return the endpoint of a CRI socket, as it was given."""
    given = text(value)
    path = parse_endpoint(given)
    if isinstance(path, Unavailable):
        raise ValueError(str(path))  # noqa: TRY004  collected as ValueError
    return given


def directory(value: object) -> str:
    """Return an absolute path without a slash at its end, so that paths can be put behind it; of / nothing is left."""
    given = text(value)
    if given and not given.startswith("/"):
        raise ValueError(f"{shown(given)} is no absolute path; it begins with /")
    return given.rstrip("/")


def listen_address(value: object) -> str:
    """Return ``host:port``, as it was given."""
    given = text(value)
    if parse_listen_address(given) is None:
        raise ValueError(f"{shown(given)} is no host:port; allowed: a port from 0 to 65535 after an optional host")
    return given


def number(value: object, *, minimum: float, maximum: float, unit: str) -> float:
    """Return a number within bounds, both allowed; the environment gives it as text."""
    allowed = f"allowed: {bounds_text(minimum=minimum, maximum=maximum, unit=unit)}"
    try:
        parsed = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        parsed = math.nan
    if math.isnan(parsed):
        raise ValueError(f"{shown(value)} is no number; {allowed}")
    if not minimum <= parsed <= maximum or math.isinf(parsed):
        raise ValueError(f"{shown(value)} is out of bounds; {allowed}")
    return parsed


def bounds_text(*, minimum: float, maximum: float, unit: str) -> str:
    """Return which numbers are allowed, for people."""
    upper = "or more" if math.isinf(maximum) else f"to {maximum:g}"
    return f"{minimum:g} {upper} ({unit})"


def written(value: object) -> str:
    """Return a value as it stands in a settings file, in one line; nothing for a text that is not set."""
    if value == "":
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # A plain value is followed by the end of its document.
    line = _yaml(value, allow_unicode=True).removesuffix("...\n").rstrip("\n")
    # What breaks a line, in YAML or on a terminal, stands as an escape between double quotes.
    return line if line.isprintable() else _yaml(value, default_style='"').rstrip("\n")


def shown(value: object) -> str:
    """Return a value the way YAML or a shell would show it, safe for a terminal: repr escapes control characters."""
    written = repr(value)
    return written if len(written) <= LONGEST_SHOWN else f"{written[: LONGEST_SHOWN - 1]}…"


def _yaml(value: object, **options: Any) -> str:  # noqa: ANN401  yaml's own
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=NO_WIDTH, **options)
    return text
