import json
import re
import signal
from pathlib import Path

import pytest
import yaml

from cli.running import a_recording, finish, run, start
from sources.cri.fake_runtime import FakeRuntime
from support.builders import a_snapshot
from support.changes import with_sandbox
from support.parts import SHARED_SANDBOX_ID, WEB_APP_PID, WEB_PAUSE_PID, WEB_SANDBOX_ID

EMPTY = re.compile(
    r": 0 pods, 0 containers, 0 zombies; no findings(; 1 finding elsewhere on this node: pausewatch scan)?\n$"
)
"""What is said of a runtime without pods. Its /proc is this machine's, where others may have left zombies."""


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

    assert (told.code, told.stderr) == (0, "")
    assert EMPTY.search(told.stdout)


def test_namespace_narrows_it_down(tmp_path: Path) -> None:
    """With a name or without one."""
    recording = a_recording(tmp_path / "node.json", with_sandbox(a_snapshot(), SHARED_SANDBOX_ID, name="web-x"))

    assert ids(run("inspect", "-n", "team-b", "--from", recording, "-o", "json").stdout) == [SHARED_SANDBOX_ID]
    told = run("inspect", "web-x", "--namespace", "team-a", "--from", recording, "-o", "json").stdout
    assert ids(told) == [WEB_SANDBOX_ID]


def test_unknown_namespace_gets_those_that_are_there(healthy: str) -> None:
    """An empty page would look like a healthy one."""
    told = run("inspect", "-n", "team-c", "--from", healthy)

    assert (told.code, told.stdout) == (1, "")
    assert told.error == "no pod of the namespace 'team-c' on this node; there are team-a, team-b"


def test_contradiction_is_refused(healthy: str) -> None:
    """Two namespaces can not both be meant."""
    told = run("inspect", "team-a/web-x", "-n", "team-b", "--from", healthy)

    assert told.code == 2
    assert told.error.startswith("--namespace team-b and team-a/web-x contradict each other")


def test_problem_shows_what_is_wrong_only(critical: str, healthy: str) -> None:
    """On a healthy node that is nothing, and said so."""
    assert ids(run("inspect", "--problem", "--from", critical, "-o", "json").stdout) == [WEB_SANDBOX_ID]
    told = run("inspect", "--problem", "--from", healthy)
    assert (told.code, told.stdout) == (0, "node-7: 0 pods, 0 containers, 0 zombies; no findings\n")


def test_what_is_wrong_comes_with_what_to_type(critical: str) -> None:
    """Findings, their first command and where to read on."""
    told = run("inspect", "--from", critical).stdout

    assert "CRITICAL  HostNamespaceJoined  container app\n" in told
    assert "      readlink /proc/2311/ns/net /proc/2301/ns/net\n" in told
    assert "  pausewatch explain HostNamespaceJoined\n" in told


def test_wide_shows_whole_ids(healthy: str) -> None:
    """For crictl and ctr."""
    assert WEB_SANDBOX_ID in run("inspect", "-o", "wide", "--from", healthy).stdout
    assert WEB_SANDBOX_ID not in run("inspect", "--from", healthy).stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--from", "x.json"), "--watch looks at this node again and again"),
        (("-o", "json"), "--watch shows a tree"),
    ],
)
def test_watch_refuses_what_ends(arguments: tuple[str, ...], error: str, healthy: str) -> None:
    """A recording does not change, and one object after the other is no JSON."""
    told = run("inspect", "--watch", *(healthy if one == "x.json" else one for one in arguments))

    assert told.code == 2
    assert told.error.startswith(error)


def test_watch_writes_a_page_into_a_pipe_only_when_it_changes(socket: str) -> None:
    """A runtime that is away, and that comes back; Ctrl-C ends it quietly."""
    process = start("inspect", "--watch", "--interval", "0.1", "--runtime-endpoint", socket)
    assert process.stdout is not None
    away = [process.stdout.readline() for _ in range(3)]
    with FakeRuntime(Path(socket)):
        there = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        ended = finish(process)

    assert away[1].startswith("cannot look  ")
    assert EMPTY.search(there[1])
    assert (ended.code, ended.stdout, ended.stderr) == (130, "", "")
