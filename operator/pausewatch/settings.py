"""Settings from flags, environment and a file, checked together so that every mistake is told at once.

Precedence: a flag over an environment variable over the file over the default. A value that another one overrides is
checked all the same: it would strike on the day the other one goes.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from pausewatch import setting_values
from pausewatch.checks._check import all_checks
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.model.text import printable

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
class _Setting:
    """One thing that can be set to a text or a number."""

    key: str
    """Its path in the settings file, with dots between the levels."""

    attribute: str = ""
    """Of ``Settings``; empty for a threshold."""

    variables: tuple[str, ...]
    """The environment variables, the one that wins first."""

    read: Callable[[object], str | float]
    """Returns the value, or raises ValueError with what is wrong and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One value as somebody gave it."""

    key: str
    value: object
    place: str
    """Where it stands, for people."""

    above: str = ""
    """The start of ``key`` that is not typed there."""


def load(flags: Flags, environment: Mapping[str, str]) -> Settings:
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
) -> Settings:
    """Return the settings in force, from what was read before.

    Raises:
        SettingsError: With every problem; those of the caller come first.
    """
    known = {setting.key: setting for setting in (*_scalars(), *_thresholds())}
    content = dict(document or {})
    found = list(problems)
    ignore = _rules(content.pop("ignore", None), f"{file_name}: ignore", found)
    values: dict[str, Any] = {}
    given = (*_in_file(content, file_name), *_in_environment(environment, known, found), *_in_flags(flags))
    for one in given:
        try:
            values[one.key] = _setting(known, one).read(one.value)
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
    return Settings(**scalars, thresholds=thresholds, ignore=ignore)


def _scalars() -> tuple[_Setting, ...]:
    # Below a tenth of a second a healthy but busy runtime looks hung; above a minute nobody waits for a scan.
    seconds = partial(setting_values.number, minimum=0.1, maximum=60, unit="seconds")
    # A write each second is for a test cluster; beyond a day nobody would take a report for alive.
    paced = partial(setting_values.number, minimum=1, maximum=86_400, unit="seconds")
    return (
        _scalar("runtimeEndpoint", "runtime_endpoint", setting_values.endpoint),
        # What manifests usually call the downward API's spec.nodeName counts as well.
        _scalar("nodeName", "node_name", setting_values.text, "NODE_NAME"),
        _scalar("runtimeTimeoutSeconds", "runtime_timeout_seconds", seconds),
        _scalar("lookIntervalSeconds", "look_interval_seconds", seconds),
        _scalar(
            "scanPeriodSeconds",
            "scan_period_seconds",
            partial(setting_values.number, minimum=1, maximum=3600, unit="seconds"),
        ),
        _scalar("listenAddress", "listen_address", setting_values.listen_address),
        _scalar("reportIntervalSeconds", "report_interval_seconds", paced),
        _scalar("reportHeartbeatSeconds", "report_heartbeat_seconds", paced),
        _scalar("events", "events", setting_values.switch),
        _scalar("deepProbe", "deep_probe", setting_values.switch),
    )


def _scalar(key: str, attribute: str, read: Callable[[object], str | float], *others: str) -> _Setting:
    return _Setting(key=key, attribute=attribute, variables=(f"PAUSEWATCH_{attribute.upper()}", *others), read=read)


def _thresholds() -> Iterator[_Setting]:
    for check in all_checks():
        for threshold in check.thresholds:
            variable = f"PAUSEWATCH_{check.id}_{threshold.name}".replace("-", "_").upper()
            read = partial(setting_values.number, minimum=threshold.minimum, maximum=math.inf, unit=threshold.unit)
            yield _Setting(key=f"thresholds.{check.id}.{threshold.name}", variables=(variable,), read=read)


def _in_file(content: Mapping[object, object], file_name: str, above: str = "") -> Iterator[_Given]:
    """Yield what a settings file gives; a key without a value gives nothing."""
    for name, value in content.items():
        key = f"{above}{name}"
        if isinstance(value, dict) and above.count(".") < DEEPEST_LEVEL:
            yield from _in_file(value, file_name, f"{key}.")
        elif value is not None:
            yield _Given(key=key, value=value, place=f"{file_name}: {printable(key)}")


def _in_environment(
    environment: Mapping[str, str], known: Mapping[str, _Setting], problems: list[str]
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


def _in_flags(flags: Flags) -> Iterator[_Given]:
    if flags.runtime_endpoint:
        yield _Given(key="runtimeEndpoint", value=flags.runtime_endpoint, place="--runtime-endpoint")
    if flags.node_name:
        yield _Given(key="nodeName", value=flags.node_name, place="--node-name")
    if flags.listen_address:
        yield _Given(key="listenAddress", value=flags.listen_address, place="--listen")
    if flags.events is not None:
        yield _Given(key="events", value=flags.events, place="--events" if flags.events else "--no-events")
    for text in flags.thresholds:
        name, _, value = text.partition("=")
        yield _Given(key=f"thresholds.{name}", value=value, place=f"--set {printable(text)}", above="thresholds.")


def _setting(known: Mapping[str, _Setting], given: _Given) -> _Setting:
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
