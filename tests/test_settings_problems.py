"""What is wrong with settings: told all at once, with the place and the next step."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize("value", ["1", "yes", "on", "[true]"])
def test_switch_is_true_or_false(value: str) -> None:
    """Anything else may mean anything."""
    assert "neither true nor false" in only_problem(text=f"deepProbe: '{value}'")


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
