import re
from pathlib import Path

import pytest

from pausewatch.checks._check import all_checks
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.settings import Flags, SettingsError, load, parse_file, resolve

ZOMBIES = "PAUSEWATCH_ZOMBIE_BUILDUP_ZOMBIES"


def test_nothing_given_is_the_defaults() -> None:
    """Nobody has to set anything."""
    assert load(Flags(), {"PATH": "/bin"}).settings == Settings()


def test_every_setting_can_stand_in_the_file() -> None:
    """The file knows every field of Settings."""
    text = """
        runtimeEndpoint: unix:///run/crio/crio.sock
        nodeName: node-7
        runtimeTimeoutSeconds: 5
        lookIntervalSeconds: 0.5
        scanPeriodSeconds: 10
        listenAddress: "[::1]:80"
        reportIntervalSeconds: 5
        reportHeartbeatSeconds: 50
        events: false
        deepProbe: true
        thresholds:
          zombie-buildup: {zombies: 20, seen_for_seconds: 0}
        ignore:
          - {check: zombie-buildup, namespace: team-a, pod: web-x}
          - namespace: team-b
    """

    assert resolve(Flags(), {}, parse_file(text)).settings == Settings(
        runtime_endpoint="unix:///run/crio/crio.sock",
        node_name="node-7",
        runtime_timeout_seconds=5,
        look_interval_seconds=0.5,
        scan_period_seconds=10,
        listen_address="[::1]:80",
        report_interval_seconds=5,
        report_heartbeat_seconds=50,
        events=False,
        deep_probe=True,
        thresholds={"zombie-buildup": {"zombies": 20, "seen_for_seconds": 0}},
        ignore=(
            IgnoreRule(check="zombie-buildup", namespace="team-a", pod="web-x"),
            IgnoreRule(namespace="team-b"),
        ),
    )


@pytest.mark.parametrize(("value", "on"), [("true", True), ("True", True), ("false", False)])
def test_switch_in_the_environment_is_a_word(value: str, on: bool) -> None:  # noqa: FBT001
    """YAML has a type for it, an environment has not."""
    assert load(Flags(), {"PAUSEWATCH_DEEP_PROBE": value}).settings.deep_probe is on


@pytest.mark.parametrize(("flag", "on"), [(None, False), (True, True), (False, False)])
def test_flag_of_a_switch_beats_the_variable(flag: bool | None, on: bool) -> None:  # noqa: FBT001
    """A flag that says "off" is a flag, and one that is not there says nothing."""
    assert load(Flags(events=flag), {"PAUSEWATCH_EVENTS": "false"}).settings.events is on
    assert load(Flags(events=flag), {"PAUSEWATCH_EVENTS": "true"}).settings.events is (flag is not False)


def test_every_declared_threshold_has_a_variable_and_a_flag() -> None:
    """A new check's thresholds are settable without a change here."""
    for check in all_checks():
        for threshold in check.thresholds:
            variable = re.sub("[-.]", "_", f"PAUSEWATCH_{check.id}.{threshold.name}").upper()
            number = threshold.minimum + 1
            by_variable = resolve(Flags(), {variable: str(number)}).settings
            by_flag = resolve(Flags(thresholds=(f"{check.id}.{threshold.name}={number}",)), {}).settings

            assert by_variable.thresholds == by_flag.thresholds == {check.id: {threshold.name: number}}


def test_flag_beats_variable_beats_file_beats_default() -> None:
    """The nearer to the person who types, the stronger."""
    document = parse_file("{nodeName: from-file, runtimeTimeoutSeconds: 3, thresholds: {zombie-buildup: {zombies: 3}}}")
    environment = {"PAUSEWATCH_NODE_NAME": "from-variable", ZOMBIES: "4"}
    flags = Flags(node_name="from-flag", thresholds=("zombie-buildup.zombies=5",))

    assert resolve(Flags(), {}, document).settings.node_name == "from-file"
    assert resolve(Flags(), environment, document).settings.node_name == "from-variable"
    all_four = resolve(flags, environment, document).settings
    assert all_four.node_name == "from-flag"
    assert all_four.thresholds == {"zombie-buildup": {"zombies": 5}}
    assert all_four.runtime_timeout_seconds == 3
    assert all_four.look_interval_seconds == Settings().look_interval_seconds


def test_place_of_each_value_is_known() -> None:
    """Whoever wonders why a value is in force can go there; a default has no place."""
    document = parse_file("{nodeName: a, deepProbe: true, scanPeriodSeconds: 5, ignore: [{pod: web-x}]}")
    environment = {"PAUSEWATCH_NODE_NAME": "b", "NODE_NAME": "c", ZOMBIES: "4"}
    flags = Flags(events=False, listen_address=":80", thresholds=("zombie-buildup.seen_for_seconds=5",))

    assert resolve(flags, environment, document, "a.yaml").places == {
        "nodeName": "PAUSEWATCH_NODE_NAME",
        "deepProbe": "a.yaml: deepProbe",
        "scanPeriodSeconds": "a.yaml: scanPeriodSeconds",
        "ignore": "a.yaml: ignore",
        "events": "--no-events",
        "listenAddress": "--listen",
        "thresholds.zombie-buildup.zombies": ZOMBIES,
        "thresholds.zombie-buildup.seen_for_seconds": "--set zombie-buildup.seen_for_seconds=5",
    }


def test_own_variable_beats_the_one_of_manifests() -> None:
    """NODE_NAME is often there for other programs."""
    assert resolve(Flags(), {"NODE_NAME": "a"}).settings.node_name == "a"
    assert resolve(Flags(), {"NODE_NAME": "a", "PAUSEWATCH_NODE_NAME": "b"}).settings.node_name == "b"


def test_last_flag_of_a_threshold_wins() -> None:
    """A repeated flag behaves as everywhere."""
    flags = Flags(thresholds=("zombie-buildup.zombies=5", "zombie-buildup.zombies=6"))

    assert resolve(flags, {}).settings.thresholds == {"zombie-buildup": {"zombies": 6}}


def test_empty_values_say_nothing() -> None:
    """An empty variable, a key without a value and an empty file are as good as none."""
    document = parse_file("nodeName:\nthresholds:\nignore:\n")

    assert resolve(Flags(), {"PAUSEWATCH_NODE_NAME": "", ZOMBIES: ""}, document).settings == Settings()
    assert parse_file("# nothing yet\n") == {}


def test_variables_of_a_kubernetes_service_are_left_alone() -> None:
    """Kubernetes sets them in every pod beside a Service of that name."""
    environment = {
        "PAUSEWATCH_SERVICE_HOST": "10.96.0.7",
        "PAUSEWATCH_PORT_9090_TCP_ADDR": "10.96.0.7",
        "PAUSEWATCH_SETTINGS_PORT": "tcp://10.96.0.8:80",
    }

    assert resolve(Flags(), environment).settings == Settings()


def test_file_is_named_by_flag_before_variable(tmp_path: Path) -> None:
    """The variable names the file only where the flag does not, and problems name the file that was read."""
    (tmp_path / "one.yaml").write_text("nodeName: one")
    (tmp_path / "two.yaml").write_text("nodeName: two\nnope: 1")
    environment = {"PAUSEWATCH_SETTINGS": str(tmp_path / "one.yaml")}

    assert load(Flags(), environment).settings.node_name == "one"
    with pytest.raises(SettingsError, match=r"two\.yaml: nope: there is no setting"):
        load(Flags(settings_file=tmp_path / "two.yaml"), environment)
