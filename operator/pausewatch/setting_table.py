"""All settings in one table: the fields of ``Settings`` and the thresholds that checks declare.

How a setting is called in a file, in the environment and on the command line, how its value is read, and what people
are told of it.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_type_hints

from pausewatch import setting_values
from pausewatch.checks._check import all_checks
from pausewatch.model.settings import Declaration, Kind, Settings

Value = str | float | bool

READERS: Mapping[Kind, tuple[Callable[[object], Value], str]] = {
    Kind.TEXT: (setting_values.text, "a text"),
    Kind.ENDPOINT: (setting_values.endpoint, "unix:///path"),
    Kind.DIRECTORY: (setting_values.directory, "/path"),
    Kind.ADDRESS: (setting_values.listen_address, "[HOST]:PORT"),
    Kind.SWITCH: (setting_values.switch, "true or false"),
}
"""How values are read, and which are allowed; of a number the Declaration says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that can be set to a text, a number or a switch."""

    key: str
    """Its path in the settings file, with dots between the levels."""

    attribute: str = ""
    """Of ``Settings``; empty for a threshold."""

    default: Value
    flag: str
    """Of the command line; empty where there is none."""

    variables: tuple[str, ...]
    """The environment variables, the one that wins first."""

    read: Callable[[object], Value]
    """Returns the value, or raises ValueError with what is wrong and what is allowed."""

    allowed: str
    """Which values, with their unit, for people."""

    meaning: str
    """A sentence; of a threshold, the title of its check."""

    why: str
    """Why this default, and what another one costs."""

    @property
    def names(self) -> tuple[str, ...]:
        """How it is called outside of a file, the name that wins first."""
        flags = (
            (self.flag, f"--no-{self.flag.removeprefix('--')}") if self.read is setting_values.switch else (self.flag,)
        )
        return (*(flags if self.flag else ()), *self.variables)

    def value(self, settings: Settings) -> Value:
        """Return its value in these settings."""
        if self.attribute:
            found: Value = getattr(settings, self.attribute)
            return found
        _, check, name = self.key.split(".")
        return settings.thresholds.get(check, {}).get(name, self.default)


def all_settings() -> tuple[Setting, ...]:
    """Return every setting that has a value of its own, thresholds last."""
    return (*_scalars(), *_thresholds())


def declarations() -> Mapping[str, Declaration]:
    """Return what is declared of each field of ``Settings``, by name."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def _scalars() -> Iterator[Setting]:
    defaults = Settings()
    for attribute, declared in declarations().items():
        if declared.kind is not Kind.PART:
            read, allowed = _reader(declared)
            yield Setting(
                key=_key(attribute),
                attribute=attribute,
                default=getattr(defaults, attribute),
                flag=declared.flag,
                variables=(f"PAUSEWATCH_{attribute.upper()}", *declared.more_variables),
                read=read,
                allowed=allowed,
                meaning=declared.meaning,
                why=declared.why,
            )


def _thresholds() -> Iterator[Setting]:
    for check in all_checks():
        for threshold in check.thresholds:
            bounds: dict[str, Any] = {"minimum": threshold.minimum, "maximum": math.inf}
            yield Setting(
                key=f"thresholds.{check.id}.{threshold.name}",
                default=threshold.default,
                flag=f"--set {check.id}.{threshold.name}=N",
                variables=(f"PAUSEWATCH_{check.id}_{threshold.name}".replace("-", "_").upper(),),
                read=partial(setting_values.number, **bounds, unit=threshold.unit),
                allowed=setting_values.bounds_text(**bounds, unit=threshold.unit),
                meaning=check.title,
                why=threshold.why,
            )


def _reader(declared: Declaration) -> tuple[Callable[[object], Value], str]:
    if declared.kind is not Kind.NUMBER:
        return READERS[declared.kind]
    bounds: dict[str, Any] = {"minimum": declared.minimum, "maximum": declared.maximum, "unit": declared.unit}
    return partial(setting_values.number, **bounds), setting_values.bounds_text(**bounds)


def _key(attribute: str) -> str:
    """Return how a file calls a field of ``Settings``: as Kubernetes calls fields, in camelCase."""
    return re.sub(r"_(\w)", lambda found: found[1].upper(), attribute)
