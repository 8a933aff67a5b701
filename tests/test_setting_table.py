"""One table: what it says of each setting; that each can be set is test_settings' matter."""

from dataclasses import fields

import click
import pytest

from pausewatch.checks._check import all_checks
from pausewatch.cli import agent
from pausewatch.model.settings import Kind, Settings
from pausewatch.setting_table import Setting, all_settings, declarations
from pausewatch.settings import Flags


def setting(key: str) -> Setting:
    """Return the setting of a key."""
    (found,) = [one for one in all_settings() if one.key == key]
    return found


def test_every_field_is_declared_and_has_its_row() -> None:
    """A setting is added in one place; parts of the file, such as the ignore rules, have no value of their own."""
    assert list(declarations()) == [one.name for one in fields(Settings)]
    values = [name for name, one in declarations().items() if one.kind is not Kind.PART]
    assert [one.attribute for one in all_settings() if one.attribute] == values


def test_every_threshold_has_its_row() -> None:
    """With what its check declares."""
    declared = {f"thresholds.{check.id}.{one.name}": one for check in all_checks() for one in check.thresholds}

    rows = {one.key: one for one in all_settings() if not one.attribute}

    assert {key: (one.default, one.why) for key, one in rows.items()} == {
        key: (one.default, one.why) for key, one in declared.items()
    }
    assert all(declared[key].unit in one.allowed for key, one in rows.items())


@pytest.mark.parametrize("one", all_settings(), ids=lambda one: one.key)
def test_default_is_allowed(one: Setting) -> None:
    """Or the text that is printed could not be read again; a text that is not set is left out there."""
    assert one.default == "" or one.read(one.default) == one.default


@pytest.mark.parametrize("one", all_settings(), ids=lambda one: one.key)
def test_text_for_people_is_complete(one: Setting) -> None:
    """What it is, why its default, and which values are allowed."""
    assert one.meaning
    assert one.why
    assert not one.why.endswith(".")
    assert one.allowed


def test_key_and_variable_follow_from_the_name() -> None:
    """A file calls fields as Kubernetes does."""
    period = setting("scanPeriodSeconds")

    assert period.variables == ("PAUSEWATCH_SCAN_PERIOD_SECONDS",)
    assert period.allowed == "1 to 3600 (seconds)"
    assert setting("nodeName").variables == ("PAUSEWATCH_NODE_NAME", "NODE_NAME")
    assert setting("thresholds.zombie-buildup.zombies").variables == ("PAUSEWATCH_ZOMBIE_BUILDUP_ZOMBIES",)


def test_flags_are_those_of_the_agent() -> None:
    """A flag that is shown and not there would end the agent that somebody starts with it."""
    options = {
        option.name: option.opts + option.secondary_opts
        for option in agent.command.params
        if isinstance(option, click.Option)
    }

    for one in all_settings():
        if one.flag and one.attribute:
            assert one.flag in options[one.attribute]
            assert one.attribute in {field.name for field in fields(Flags)}
    assert "--set" in options["thresholds"]


def test_value_is_that_in_force() -> None:
    """Of a threshold, the default where nobody moved it."""
    settings = Settings(deep_probe=True, thresholds={"zombie-buildup": {"zombies": 7}})

    assert setting("deepProbe").value(settings) is True
    assert setting("thresholds.zombie-buildup.zombies").value(settings) == 7
    assert setting("thresholds.zombie-buildup.seen_for_seconds").value(settings) == 60
