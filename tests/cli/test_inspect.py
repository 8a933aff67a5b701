import json
from pathlib import Path

import pytest
import yaml

from cli.running import a_recording, run
from support.builders import (
    SHARED_SANDBOX_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    a_snapshot,
)
from support.changes import with_sandbox


def ids(stdout: str) -> list[str]:
    """Return the sandboxes in JSON output."""
    return [one["sandboxID"] for one in json.loads(stdout)["sandboxes"]]


def test_without_a_name_all_pods_are_shown(healthy: str) -> None:
    """The whole node, ordered by namespace and name."""
    told = run("inspect", "--from", healthy, "-o", "json")

    assert (told.code, told.stderr) == (0, "")
    assert ids(told.stdout) == [WEB_SANDBOX_ID, SHARED_SANDBOX_ID]


@pytest.mark.parametrize("name", ["web-x", "team-a/web-x"])
def test_pod_is_found_with_and_without_its_namespace(healthy: str, name: str) -> None:
    """People know the name; the namespace they may have to look up."""
    told = run("inspect", name, "--from", healthy)

    assert told.code == 0
    assert f"{WEB_APP_PID} app" in told.stdout
    assert str(WEB_PAUSE_PID) in told.stdout
    assert "shared-y" not in told.stdout


def test_pods_of_one_name_are_all_shown(tmp_path: Path) -> None:
    """A name without its namespace may mean several pods; with it, one."""
    recording = a_recording(tmp_path / "node.json", with_sandbox(a_snapshot(), SHARED_SANDBOX_ID, name="web-x"))

    assert ids(run("inspect", "web-x", "--from", recording, "-o", "json").stdout) == [WEB_SANDBOX_ID, SHARED_SANDBOX_ID]
    assert ids(run("inspect", "team-b/web-x", "--from", recording, "-o", "json").stdout) == [SHARED_SANDBOX_ID]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("web2", "did you mean team-a/web-x?"),
        ("team-b/web-x", "did you mean team-a/web-x?"),
        ("shared", "did you mean team-b/shared-y?"),
        ("xyzzy", "pausewatch inspect shows all pods that there are"),
    ],
)
def test_unknown_pod_gets_the_nearest_names(healthy: str, name: str, hint: str) -> None:
    """The suggestion can be copied: it carries its namespace."""
    told = run("inspect", name, "--from", healthy)

    assert (told.code, told.stdout) == (1, "")
    assert told.error.startswith(f"no pod {name!r} on this node; {hint.removesuffix('?')}")


def test_outputs_hold_the_same(healthy: str) -> None:
    """JSON and YAML are two spellings of one object."""
    as_json = run("inspect", "--from", healthy, "-o", "json").stdout
    as_yaml = run("inspect", "--from", healthy, "-o", "yaml").stdout

    assert yaml.safe_load(as_yaml) == json.loads(as_json)


@pytest.mark.usefixtures("runtime")
def test_node_without_pods_is_no_error(socket: str) -> None:
    """An empty node has been inspected."""
    told = run("inspect", "--runtime-endpoint", socket)

    assert (told.code, told.stdout, told.stderr) == (0, "no sandboxes\n", "")
