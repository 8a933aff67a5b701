import re
from pathlib import Path

import pytest

from pausewatch.checks._check import all_checks
from pausewatch.model.settings import IgnoreRule, Settings
from pausewatch.settings import Flags, SettingsError, load, parse_file, resolve

ZOMBIES = "PAUSEWATCH_ZOMBIE_BUILDUP_ZOMBIES"


def problems(flags: Flags | None = None, environment: dict[str, str] | None = None, text: str = "") -> tuple[str, ...]:
    """Return what is wrong with these settings."""
    with pytest.raises(SettingsError) as caught:
        resolve(flags or Flags(), environment or {}, parse_file(text))
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def only_problem(flags: Flags | None = None, environment: dict[str, str] | None = None, text: str = "") -> str:
    """Return the one thing that is wrong with these settings."""
    (problem,) = problems(flags, environment, text)
    return problem


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


@pytest.mark.parametrize("value", ["1", "yes", "on", "[true]"])
def test_switch_is_true_or_false(value: str) -> None:
    """Anything else may mean anything."""
    assert "neither true nor false" in only_problem(text=f"deepProbe: '{value}'")


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


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends settings one error at a time."""
    flags = Flags(runtime_endpoint="tcp://10.0.0.1:1234", thresholds=("zombie-buildup.zombies=ten",))
    environment = {"PAUSEWATCH_LOOK_INTERVAL_SECONDS": "0", "PAUSEWATCH_RUNTIME_ENDPIONT": "/run/x.sock"}
    text = "{runtimeEndpiont: /run/x.sock, ignore: [{check: zombies}], thresholds: {zombie-buildup: {zombies: -1}}}"

    told = problems(flags, environment, text)

    assert [line.split(": ")[0] for line in told] == [
        "settings",
        "PAUSEWATCH_RUNTIME_ENDPIONT",
        "settings",
        "settings",
        "PAUSEWATCH_LOOK_INTERVAL_SECONDS",
        "--runtime-endpoint",
        "--set zombie-buildup.zombies=ten",
    ]
    assert all("\n" not in line for line in told)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("ten", "'ten' is no number; allowed: 1 or more (processes)"),
        ("", "'' is no number; allowed: 1 or more (processes)"),
        ("nan", "'nan' is no number; allowed: 1 or more (processes)"),
        ("0", "'0' is out of bounds; allowed: 1 or more (processes)"),
        ("inf", "'inf' is out of bounds; allowed: 1 or more (processes)"),
    ],
)
def test_bad_threshold_names_flag_value_and_bounds(value: str, why: str) -> None:
    """The bounds are those of the check's declaration."""
    text = f"zombie-buildup.zombies={value}"

    assert only_problem(Flags(thresholds=(text,))) == f"--set {text}: {why}"


@pytest.mark.parametrize("value", ["yes", "[3]", "0.05", "61", "!!str"])
def test_bad_number_names_file_key_value_and_bounds(value: str) -> None:
    """YAML's words for true are no number either."""
    problem = only_problem(text=f"runtimeTimeoutSeconds: {value}")

    assert problem.startswith("settings: runtimeTimeoutSeconds: ")
    assert problem.endswith("allowed: 0.1 to 60 (seconds)")


def test_unknown_keys_get_the_nearest_known_name() -> None:
    """A misspelling is told, at every level."""
    text = """
        nodename: a
        thresholds:
          zombie-build-up: {zombies: 3}
          zombie-buildup: {zombie: 3}
        ignore:
          - {chekc: zombie-buildup}
          - {check: zombie-build-up}
    """

    told = "\n".join(problems(text=text))

    assert "settings: nodename: there is no setting of this name; did you mean nodeName?" in told
    assert "thresholds.zombie-build-up.zombies: there is no setting of this name" in told
    assert told.count("did you mean thresholds.zombie-buildup.zombies?") == 2
    assert "ignore[0].chekc: there is no such field in a rule; did you mean check?" in told
    assert "ignore[1].check: there is no check 'zombie-build-up'; did you mean zombie-buildup?" in told


@pytest.mark.parametrize("name", ["zombie-buildup.zombie", "zombie-buildup", "thresholds.zombie-buildup.zombies"])
def test_unknown_flag_gets_the_name_as_it_is_typed(name: str) -> None:
    """What is suggested can be copied behind --set."""
    problem = only_problem(Flags(thresholds=(f"{name}=3",)))

    assert problem == f"--set {name}=3: there is no setting of this name; did you mean zombie-buildup.zombies?"


def test_hopeless_key_gets_the_list_of_known_ones() -> None:
    """Where nothing is near, everything is shown."""
    problem = only_problem(text="xyzzy: 1")

    assert "known are deepProbe, events, ignore, listenAddress, lookIntervalSeconds" in problem


def test_misspelt_variable_is_told() -> None:
    """A variable that has no effect would look like one that has."""
    problem = only_problem(environment={"PAUSEWATCH_NODENAME": "a"})

    assert problem == "PAUSEWATCH_NODENAME: there is no such variable; did you mean PAUSEWATCH_NODE_NAME?"


def test_variables_of_a_kubernetes_service_are_left_alone() -> None:
    """Kubernetes sets them in every pod beside a Service of that name."""
    environment = {
        "PAUSEWATCH_SERVICE_HOST": "10.96.0.7",
        "PAUSEWATCH_PORT_9090_TCP_ADDR": "10.96.0.7",
        "PAUSEWATCH_SETTINGS_PORT": "tcp://10.96.0.8:80",
    }

    assert resolve(Flags(), environment).settings == Settings()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("thresholds: 3", "thresholds: has one value; expected is a mapping"),
        ("thresholds: {zombie-buildup: 3}", "thresholds.zombie-buildup: has one value; expected is a mapping"),
        ("thresholds: {zombie-buildup: {zombies: {a: 1}}}", "{'a': 1} is no number"),
        ("&a {thresholds: {zombie-buildup: *a}}", "is no"),
        ("nodeName: 7", "nodeName: 7 is no text; put it in quotes"),
        ("runtimeEndpoint: {path: /run/x.sock}", "runtimeEndpoint.path: there is no setting of this name"),
        ("runtimeEndpoint: run/x.sock", "is no absolute path of a unix socket; name the socket with"),
        ("ignore: zombie-buildup", "ignore: 'zombie-buildup' is no list of rules with check, namespace, pod"),
        ("ignore: [zombie-buildup]", "ignore[0]: 'zombie-buildup' is no mapping that names at least one of"),
        ("ignore: [{}]", "ignore[0]: {} is no mapping that names at least one of check, namespace, pod"),
        ("ignore: [{pod: ''}]", "ignore[0]: {'pod': ''} is no mapping that names at least one of"),
        ("ignore: [{pod: 7}]", "ignore[0].pod: 7 is no text; put it in quotes"),
    ],
)
def test_wrong_shapes_are_told(text: str, why: str) -> None:
    """Valid YAML of another shape names its place."""
    assert why in "\n".join(problems(text=text))


def test_bad_value_can_not_move_the_cursor() -> None:
    """Control characters in a value are shown, not obeyed, and a long value is cut."""
    problem = only_problem(Flags(thresholds=("zombie-buildup.zombies=\x1b[2J" + "9" * 500,)))

    assert problem.isprintable()
    assert len(problem) < 500


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a: [1,\nb: }", "line 2, column 4: no valid YAML: "),
        (b"a: \x07", "no valid YAML: "),
        (b"\xff\xfe\xfd", "codec can't decode byte"),
        (b"- a\n", "['a'] is no mapping of settings to values"),
        (b"just words", "'just words' is no mapping of settings to values"),
    ],
)
def test_unreadable_file_is_told_with_all_else(tmp_path: Path, content: bytes, why: str) -> None:
    """A syntax error names line and column, and does not hide what is wrong elsewhere."""
    path = tmp_path / "settings.yaml"
    path.write_bytes(content)

    with pytest.raises(SettingsError) as caught:
        load(Flags(settings_file=path), {ZOMBIES: "x"})

    file_problem, other = caught.value.problems
    assert file_problem.startswith(f"settings file {path}: ")
    assert why in file_problem
    assert other.startswith(ZOMBIES)


def test_missing_file_is_told(tmp_path: Path) -> None:
    """A file that was named has to be there."""
    with pytest.raises(SettingsError, match=r"missing\.yaml: No such file or directory"):
        load(Flags(settings_file=tmp_path / "missing.yaml"), {})


def test_file_is_named_by_flag_before_variable(tmp_path: Path) -> None:
    """The variable names the file only where the flag does not, and problems name the file that was read."""
    (tmp_path / "one.yaml").write_text("nodeName: one")
    (tmp_path / "two.yaml").write_text("nodeName: two\nnope: 1")
    environment = {"PAUSEWATCH_SETTINGS": str(tmp_path / "one.yaml")}

    assert load(Flags(), environment).settings.node_name == "one"
    with pytest.raises(SettingsError, match=r"two\.yaml: nope: there is no setting"):
        load(Flags(settings_file=tmp_path / "two.yaml"), environment)
