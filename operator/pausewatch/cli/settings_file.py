"""The settings in force as a settings file that explains itself and makes the same settings again."""

import textwrap
from collections.abc import Iterator

from pausewatch.model.settings import IgnoreRule
from pausewatch.setting_table import Setting, all_settings, declarations
from pausewatch.setting_values import written
from pausewatch.settings import RULE_FIELDS, InForce

WIDTH = 100
"""Columns that an explanation may fill; a value is never broken."""

INDENT = "  "

HEADER = """\
# The settings in force, as a file for --settings that makes the same ones.
# A flag wins over an environment variable, that over the settings file, that over the default.
"""


def settings_file(in_force: InForce) -> str:
    """Return the text: each setting with its place, what is allowed, its default and why."""
    return "\n".join((HEADER, *_scalars(in_force), *_thresholds(in_force), *_rules(in_force)))


def _scalars(in_force: InForce) -> Iterator[str]:
    for one in all_settings():
        if one.attribute:
            yield from _comment(one.meaning)
            yield from _explained(one, in_force)
            yield ""


def _thresholds(in_force: InForce) -> Iterator[str]:
    yield from _part("thresholds")
    yield "thresholds:"
    group = ""
    for one in all_settings():
        if not one.attribute:
            _, check, _ = one.key.split(".")
            if check != group:
                yield from [""] if group else []
                yield from _comment(f"{one.meaning}.", level=1)
                yield f"{INDENT}{check}:"
            group = check
            yield from _explained(one, in_force, level=2)
    yield ""


def _explained(one: Setting, in_force: InForce, level: int = 0) -> Iterator[str]:
    """Yield all that is known of a setting, and its line."""
    value = written(one.value(in_force.settings))
    rows = {
        "from": in_force.places.get(one.key, "the default"),
        "allowed": one.allowed,
        "default": f"{written(one.default) or 'not set'}: {one.why}",
        "set by": ", ".join(one.names),
    }
    yield from _rows(rows, level)
    yield f"{INDENT * level}{one.key.rpartition('.')[2]}: {value}".rstrip()


def _rules(in_force: InForce) -> Iterator[str]:
    yield from _part("ignore")
    rows = {"from": in_force.places.get("ignore", "the default"), "allowed": f"a list of {{{', '.join(RULE_FIELDS)}}}"}
    yield from _rows(rows)
    rules = in_force.settings.ignore
    yield "ignore:" if rules else "ignore: []"
    for rule in rules:
        yield f"{INDENT}- {written(_given(rule))}"
    yield ""


def _given(rule: IgnoreRule) -> dict[str, str]:
    return {name: value for name in RULE_FIELDS if (value := getattr(rule, name))}


def _part(name: str) -> Iterator[str]:
    declared = declarations()[name]
    yield from _comment(f"{declared.meaning} By default {declared.why}.")


def _rows(rows: dict[str, str], level: int = 0) -> Iterator[str]:
    width = max(map(len, rows))
    for name, text in rows.items():
        label = f"{name:<{width}}  "
        yield from _comment(f"{INDENT}{label}{text}", level, hanging=len(INDENT) + len(label))


def _comment(text: str, level: int = 0, hanging: int = 0) -> Iterator[str]:
    start = f"{INDENT * level}# "
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=start + " " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
