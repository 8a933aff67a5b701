"""The settings in force as a file."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pausewatch.cli.settings_file import WIDTH, settings_file
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.setting_table import Setting, all_settings
from pausewatch.settings import Flags, InForce, parse_file, resolve

NAMES = st.text(max_size=40)
RULES = st.builds(IgnoreRule, namespace=NAMES, pod=NAMES).filter(lambda rule: rule != IgnoreRule())
THRESHOLDS = st.fixed_dictionaries(
    {},
    optional={
        "zombie-buildup": st.fixed_dictionaries(
            {"zombies": st.floats(1, 1e300), "seen_for_seconds": st.floats(0, 9e9)}
        ),
        "stale-sandbox": st.fixed_dictionaries({"lasting_seconds": st.floats(0, 1)}),
    },
)
SETTINGS = st.builds(
    Settings,
    node_name=NAMES,
    runtime_endpoint=st.just("") | st.text("aä:#' {\"\\\n\x85", max_size=20).map(lambda text: f"unix:///{text}"),
    runtime_timeout_seconds=st.floats(0.1, 60),
    report_heartbeat_seconds=st.floats(1, 86_400),
    listen_address=st.sampled_from([":7287", "127.0.0.1:0", "[::1]:80", "node-7:65535"]),
    events=st.booleans(),
    deep_probe=st.booleans(),
    thresholds=THRESHOLDS,
    ignore=st.lists(RULES, max_size=3).map(tuple),
)


def read_again(text: str) -> Settings:
    """Return what a file with this text makes, with nothing else given."""
    return resolve(Flags(), {}, parse_file(text)).settings


def values(of: Settings) -> Mapping[str, object]:
    """Return all that is in force: a threshold that is not given has its default."""
    return {one.key: one.value(of) for one in all_settings()} | {"ignore": of.ignore}


def printed(of: Settings, **places: str) -> str:
    """Return the file of these settings."""
    return settings_file(InForce(settings=of, places=places))


def explained(text: str, key: str) -> str:
    """Return the comment before the line of a key of the top level, in one line."""
    before = text.partition(f"\n{key}:")[0].rpartition("\n\n")[2]
    return " ".join(before.replace("#", "").split())


def test_defaults_make_the_defaults() -> None:
    """Each one stands in the file."""
    assert values(read_again(printed(Settings()))) == values(Settings())


@settings(deadline=None, max_examples=50)
@given(SETTINGS)
def test_file_makes_the_settings_that_it_was_made_of(some: Settings) -> None:
    """Whatever is in force: somebody prints it on one node and gives it to another."""
    assert values(read_again(printed(some))) == values(some)


@pytest.mark.parametrize("one", all_settings(), ids=lambda one: one.key)
def test_every_setting_is_explained(one: Setting) -> None:
    """What it is, which values are allowed, why its default, how it is set; without the file's line breaks."""
    text = " ".join(printed(Settings()).replace("#", "").split())

    assert one.meaning in text
    assert f"allowed {one.allowed}" in text
    assert one.why in text
    assert f"set by {', '.join(one.names)}" in text


def test_place_of_a_value_is_told() -> None:
    """Of the default, that it is one."""
    text = printed(Settings(scan_period_seconds=5), scanPeriodSeconds="PAUSEWATCH_SCAN_PERIOD_SECONDS")

    assert "from PAUSEWATCH_SCAN_PERIOD_SECONDS allowed 1 to 3600 (seconds)" in explained(text, "scanPeriodSeconds")
    assert "from the default allowed 0.1 to 60 (seconds)" in explained(text, "runtimeTimeoutSeconds")


def test_value_that_is_not_set_stays_so() -> None:
    """An empty text is none that could be read again; a key without a value says nothing."""
    lines = printed(Settings()).splitlines()

    assert "nodeName:" in lines
    assert "runtimeEndpoint:" in lines
    assert "ignore: []" in lines


def test_switch_names_both_flags() -> None:
    """Whoever wants it off need not guess."""
    assert "set by --events, --no-events, PAUSEWATCH_EVENTS" in explained(printed(Settings()), "events")


def test_explanations_fit_on_a_terminal() -> None:
    """A hundred columns; a value may be longer, and is not broken."""
    text = printed(Settings(node_name="n" * 200), nodeName="NODE_NAME")

    assert all(len(line) <= WIDTH for line in text.splitlines() if line.lstrip().startswith("#"))
    assert f"nodeName: {'n' * 200}" in text.splitlines()
