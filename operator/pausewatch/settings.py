"""Settings from flags, environment and a file, checked together so that every mistake is told at once.

Precedence: a flag over an environment variable over the file over the default. A value that another one overrides is
checked all the same: it would strike on the day the other one goes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from pausewatch import setting_values
from pausewatch.checks._check import all_checks
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.model.text import printable
from pausewatch.setting_table import Setting, all_settings

SETTINGS_VARIABLE = "PAUSEWATCH_SETTINGS"
"""Names the settings file where no flag does."""

RULE_FIELDS = ("check", "namespace", "pod")
"""Of an entry below ``ignore``."""

NEAR_ENOUGH = 0.9
"""A variable this like a known one is a misspelling. Others that begin with PAUSEWATCH are left alone: Kubernetes sets
``PAUSEWATCH_SERVICE_HOST`` and the like in every pod beside a Service of that name."""

DEEPEST_LEVEL = 2
"""Levels of mappings below the top of a settings file: thresholds, and those of one check. An alias can make a YAML
mapping contain itself, so there has to be an end."""


class SettingsError(Exception):
    """The settings can not be used.

    Attributes:
        problems: Every one, each a line with its place, the bad value and what is allowed.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the command line said about settings; None where it said nothing."""

    runtime_endpoint: str | None = None
    node_name: str | None = None
    listen_address: str | None = None
    events: bool | None = None
    thresholds: tuple[str, ...] = ()
    """Each ``CHECK.THRESHOLD=NUMBER``."""

    settings_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Settings, and where they come from."""

    settings: Settings
    places: Mapping[str, str]
    """Where a value stands, for people, by the key of its setting and ``ignore``; what nobody gave is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One value as somebody gave it."""

    key: str
    value: object
    place: str
    """Where it stands, for people."""

    above: str = ""
    """The start of ``key`` that is not typed there."""


def load(flags: Flags, environment: Mapping[str, str]) -> InForce:
    """Return the settings in force, reading the settings file that the flags or the environment name.

    Raises:
        SettingsError: With every problem of flags, environment and file.
    """
    named = environment.get(SETTINGS_VARIABLE)
    path = flags.settings_file or (Path(named) if named else None)
    if path is None:
        return resolve(flags, environment)
    name = printable(str(path))
    try:
        document = parse_file(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return resolve(flags, environment, problems=(f"settings file {name}: {why}",))
    return resolve(flags, environment, document, name)


def parse_file(text: str) -> Mapping[object, object]:
    """Return the content of a settings file, unchecked; an empty file says nothing.

    Raises:
        ValueError: It is no YAML mapping; says at which line and column.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{place}no valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"no valid YAML: {printable(' '.join(str(error).split()))}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        what = setting_values.shown(content)
        raise ValueError(f"{what} is no mapping of settings to values")  # noqa: TRY004  as the others
    return content


def resolve(
    flags: Flags,
    environment: Mapping[str, str],
    document: Mapping[object, object] | None = None,
    file_name: str = "settings",
    problems: Iterable[str] = (),
) -> InForce:
    """Return the settings in force, from what was read before.

    Raises:
        SettingsError: With every problem; those of the caller come first.
    """
    known = {setting.key: setting for setting in all_settings()}
    content = dict(document or {})
    found = list(problems)
    rules_place = f"{file_name}: ignore"
    ignore = _rules(content.pop("ignore", None), rules_place, found)
    places = {"ignore": rules_place} if ignore else {}
    values: dict[str, Any] = {}
    given = (*_in_file(content, file_name), *_in_environment(environment, known, found), *_in_flags(flags, known))
    for one in given:
        try:
            values[one.key] = _setting(known, one).read(one.value)
            places[one.key] = one.place
        except ValueError as error:
            found.append(f"{one.place}: {error}")
    if found:
        raise SettingsError(tuple(found))
    scalars = {known[key].attribute: value for key, value in values.items() if known[key].attribute}
    thresholds: dict[str, dict[str, float]] = {}
    for key, value in values.items():
        if not known[key].attribute:
            _, check, threshold = key.split(".")
            thresholds.setdefault(check, {})[threshold] = value
    return InForce(settings=Settings(**scalars, thresholds=thresholds, ignore=ignore), places=places)


def _in_file(content: Mapping[object, object], file_name: str, above: str = "") -> Iterator[_Given]:
    """Yield what a settings file gives; a key without a value gives nothing."""
    for name, value in content.items():
        key = f"{above}{name}"
        if isinstance(value, dict) and above.count(".") < DEEPEST_LEVEL:
            yield from _in_file(value, file_name, f"{key}.")
        elif value is not None:
            yield _Given(key=key, value=value, place=f"{file_name}: {printable(key)}")


def _in_environment(
    environment: Mapping[str, str], known: Mapping[str, Setting], problems: list[str]
) -> Iterator[_Given]:
    """Yield what the environment gives; an empty variable gives nothing."""
    names = [SETTINGS_VARIABLE, *(variable for setting in known.values() for variable in setting.variables)]
    for variable in sorted(environment):
        if variable.startswith("PAUSEWATCH") and variable not in names:
            near = get_close_matches(variable, names, n=1, cutoff=NEAR_ENOUGH)
            problems += [f"{printable(variable)}: there is no such variable; did you mean {name}?" for name in near]
    for setting in known.values():
        for variable in reversed(setting.variables):
            if environment.get(variable):
                yield _Given(key=setting.key, value=environment[variable], place=variable)


def _in_flags(flags: Flags, known: Mapping[str, Setting]) -> Iterator[_Given]:
    for setting in known.values():
        value = getattr(flags, setting.attribute) if setting.attribute and setting.flag else None
        if value not in (None, ""):
            place = setting.flag.replace("--", "--no-", 1) if value is False else setting.flag
            yield _Given(key=setting.key, value=value, place=place)
    for text in flags.thresholds:
        name, _, value = text.partition("=")
        yield _Given(key=f"thresholds.{name}", value=value, place=f"--set {printable(text)}", above="thresholds.")


def _setting(known: Mapping[str, Setting], given: _Given) -> Setting:
    if given.key in known:
        return known[given.key]
    if any(name.startswith(f"{given.key}.") for name in known) and not given.above:
        raise ValueError("has one value; expected is a mapping, as in thresholds: {CHECK: {THRESHOLD: NUMBER}}")
    names = [name.removeprefix(given.above) for name in (*known, "ignore") if name.startswith(given.above)]
    raise ValueError(f"there is no setting of this name; {_hint(given.key.removeprefix(given.above), names)}")


def _rules(value: object, place: str, problems: list[str]) -> tuple[IgnoreRule, ...]:
    rules = [] if value is None else value
    if not isinstance(rules, list):
        problems.append(f"{place}: {setting_values.shown(value)} is no list of rules with {', '.join(RULE_FIELDS)}")
        return ()
    wrong = [f"{place}[{number}]{why}" for number, rule in enumerate(rules) for why in _wrong_in_rule(rule)]
    problems += wrong
    return () if wrong else tuple(IgnoreRule(**rule) for rule in rules)


def _wrong_in_rule(rule: object) -> Iterator[str]:
    if not isinstance(rule, dict) or not any(rule.values()):
        # A rule without any field would match every finding of the node.
        yield f": {setting_values.shown(rule)} is no mapping that names at least one of {', '.join(RULE_FIELDS)}"
        return
    checks = [check.id for check in all_checks()]
    for field, value in rule.items():
        name = f".{printable(str(field))}"
        if field not in RULE_FIELDS:
            yield f"{name}: there is no such field in a rule; {_hint(str(field), RULE_FIELDS)}"
        elif not isinstance(value, str):
            yield f"{name}: {setting_values.shown(value)} is no text; put it in quotes"
        elif field == "check" and value and value not in checks:
            yield f"{name}: there is no check {setting_values.shown(value)}; {_hint(value, checks)}"


def _hint(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
