"""The Helm chart as far as it can be judged without helm: values, their schema and their description.

What helm and an API server say to it: tests/integration/chart.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from contracts.chart import CHART, OF_THE_CHART, REPOSITORY, described_values, leaves, profiles
from pausewatch.setting_table import all_settings
from pausewatch.sources.cri.endpoint import KNOWN_SOCKETS

Json = Mapping[str, Any]

VALUES: Json = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: Json = json.loads((CHART / "values.schema.json").read_text())
TEMPLATES = "\n".join(path.read_text() for path in sorted((CHART / "templates").iterdir()))
FILES = (CHART / "values.yaml", *profiles(), *sorted((CHART / "ci").glob("*.yaml")))

FREE = {"global", "nodeAffinity", "podAffinity", "podAntiAffinity", "podSelector", "namespaceSelector", "ipBlock"}
"""Objects that the schema leaves to the API server: of a parent chart, or of Kubernetes itself and large."""


def refusal(values: object) -> str:
    """Return what the schema says against values; empty if nothing."""
    errors = sorted(error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(values))
    return "; ".join(errors)


def objects(schema: Json, name: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every object that the schema describes, with the name of its property."""
    if schema.get("type") == "object":
        yield name, schema
    for inner, child in schema.get("properties", {}).items():
        yield from objects(child, inner)
    if "items" in schema:
        yield from objects(schema["items"], name)


def test_every_value_is_described() -> None:
    """By a comment of its own, or by that of the mapping that it is a part of."""
    described = {one.path for one in described_values()}
    bare = [path for path in leaves(VALUES) if not any(f"{path}.".startswith(f"{one}.") for one in described)]

    assert bare == []


def test_every_described_value_stands_in_the_readme() -> None:
    """Its table is what people read first."""
    readme = (CHART / "README.md").read_text()

    assert [one.path for one in described_values() if f"| `{one.path}` |" not in readme] == []


def test_every_value_is_used() -> None:
    """A value that no template reads is a promise that nobody keeps."""
    assert [path for path in leaves(VALUES) if not is_read(path)] == []


def is_read(path: str) -> bool:
    """Whether a template reads this value, or a mapping that it is a part of, as a whole."""
    parts = path.split(".")
    whole = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return any(re.search(rf"\.Values\.{re.escape(one)}(?![.\w])", TEMPLATES) for one in whole)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_values_are_as_the_schema_says(path: Path) -> None:
    """The defaults, each profile, and everything on and off."""
    assert refusal(yaml.safe_load(path.read_text())) == ""


def test_schema_knows_no_value_that_there_is_not() -> None:
    """All that may be given has a default, so that its place is seen."""
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)


def test_schema_is_closed_everywhere() -> None:
    """A misspelt name is refused: silently ignored, it would be found in an outage."""
    open_ones = {
        name
        for name, schema in objects(SCHEMA)
        if schema.get("additionalProperties", True) is True and name not in FREE
    }

    assert open_ones == set()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"imagee": {}}, "'imagee' was unexpected"),
        ({"image": {"repo": "x"}}, "'repo' was unexpected"),
        ({"settings": {"scanPeriod": 1}}, "'scanPeriod' was unexpected"),
        ({"settings": {"scanPeriodSeconds": 0}}, "0 is less than the minimum of 1"),
        ({"settings": {"thresholds": {"zombie-buildup": {"zombie": 1}}}}, "'zombie' was unexpected"),
        ({"settings": {"thresholds": {"zombies": {}}}}, "'zombies' was unexpected"),
        ({"settings": {"ignore": [{}]}}, "should be non-empty"),
        ({"settings": {"ignore": [{"check": "zombies"}]}}, "'zombies' is not one of"),
        ({"settings": {"listenAddress": ":1"}}, "'listenAddress' was unexpected"),
        ({"runtime": {"directories": ["run"]}}, "does not match"),
        ({"maxUnavailable": "0%"}, "is not valid under any of the given schemas"),
        ({"resources": {"limits": {"memory": "128 MB"}}}, "does not match"),
        ({"prometheusRule": {"disabled": {"ZombieBuildup": True}}}, "does not match any of the regexes"),
    ],
    ids=str,
)
def test_mistakes_are_refused(values: Json, said: str) -> None:
    """Before anything is installed."""
    assert said in refusal(values)


def test_settings_of_the_chart_are_known_ones() -> None:
    """What the chart sets itself is left out of its values, under the names that the agent has for it."""
    assert {one.key for one in all_settings()} >= OF_THE_CHART
    for variable in ("NODE_NAME", "PAUSEWATCH_RUNTIME_SOCKET_ROOT"):
        assert any(variable in one.variables for one in all_settings())
        assert f"name: {variable}\n" in TEMPLATES


def test_default_covers_every_known_socket_that_it_says() -> None:
    """All but that of microk8s, whose profile has it."""
    (directory,) = VALUES["runtime"]["directories"]
    outside = [path for path in KNOWN_SOCKETS if not path.startswith(f"{directory}/")]
    profile = yaml.safe_load((CHART / "profiles" / "microk8s.yaml").read_text())

    assert [str(Path(path).parent) for path in outside] == profile["runtime"]["directories"]


@pytest.mark.parametrize("path", profiles(), ids=lambda path: path.stem)
def test_profile_has_the_socket_of_its_runtime(path: Path) -> None:
    """A directory without any socket that the agent looks for would leave it blind."""
    directories = yaml.safe_load(path.read_text())["runtime"]["directories"]

    assert all(any(socket.startswith(f"{directory}/") for socket in KNOWN_SOCKETS) for directory in directories)


def test_version_is_the_program_s() -> None:
    """One number for chart, image and program."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    program = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

    assert {chart["version"], chart["appVersion"]} == {program["version"]}
