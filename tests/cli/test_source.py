import socket as sockets
from pathlib import Path

import pytest

from cli.running import run
from sources.cri.fake_runtime import FakeRuntime


@pytest.mark.parametrize("command", ["scan", "inspect", "doctor"])
def test_all_wrong_settings_are_told_before_anything_is_read(command: str, tmp_path: Path) -> None:
    """One line each, whatever their place."""
    (tmp_path / "settings.yaml").write_text("nodename: x")
    told = run(
        command,
        "--settings",
        str(tmp_path / "settings.yaml"),
        "--runtime-endpoint",
        "tcp://10.0.0.1",
        PAUSEWATCH_ZOMBIE_BUILDUP_ZOMBIES="x",
    )

    lines = told.stderr.splitlines()
    assert (told.code, told.stdout, len(lines)) == (2, "", 3)
    assert all(line.startswith("pausewatch: ") for line in lines)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file or directory"),
        ("", "no complete JSON"),
        ("{}", "no recording of pausewatch; make one with: pausewatch record FILE"),
    ],
)
def test_unreadable_recording_is_told(tmp_path: Path, text: str | None, why: str) -> None:
    """One line with the file's name."""
    path = tmp_path / "node.json"
    if text is not None:
        path.write_text(text)

    told = run("scan", "--from", str(path))

    assert (told.code, told.stdout) == (1, "")
    assert told.error.startswith(f"cannot replay: recording {path}: ")
    assert why in told.error


def test_recording_and_this_node_exclude_each_other(healthy: str) -> None:
    """A flag without effect would look like one with."""
    told = run("scan", "--from", healthy, "--node-name", "x")

    assert told.code == 2
    assert told.error.startswith("--from replays a recorded node")


def test_missing_socket_is_told(socket: str) -> None:
    """What was looked for, and what to do."""
    told = run("scan", "--runtime-endpoint", socket)

    assert told.code == 1
    assert told.error.startswith(f"cannot scan: there is no socket at {socket}; start the container runtime")


def test_dead_socket_is_told(socket: str) -> None:
    """A runtime that crashed leaves its socket behind."""
    with sockets.socket(sockets.AF_UNIX) as dead:
        dead.bind(socket)

    told = run("scan", "--runtime-endpoint", socket)

    assert told.code == 1
    assert told.error == f"cannot scan: nobody listens on {socket}; start the container runtime"


def test_hanging_runtime_is_told_after_one_time_limit(socket: str) -> None:
    """It listens and never answers: the second look is not waited for."""
    with sockets.socket(sockets.AF_UNIX) as listening:
        listening.bind(socket)
        listening.listen()
        told = run("scan", "--runtime-endpoint", socket, PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS="0.2")

    assert told.code == 1
    assert told.error.startswith(f"cannot scan: the runtime at unix://{socket} did not answer Version within 0.2 s; ")


def test_ordinary_file_is_told(tmp_path: Path) -> None:
    """A path that is no socket."""
    (tmp_path / "file").touch()

    told = run("scan", "--runtime-endpoint", str(tmp_path / "file"))

    assert told.code == 1
    assert told.error.startswith(f"cannot scan: {tmp_path}/file is no stream socket; ")


def test_two_looks_are_taken_at_this_node(runtime: FakeRuntime, socket: str) -> None:
    """What is wrong in a single look may be a container that is just starting."""
    told = run("scan", "--runtime-endpoint", socket, PAUSEWATCH_LOOK_INTERVAL_SECONDS="0.1")

    assert (told.code, told.stderr) == (0, "")
    assert runtime.calls["ListPodSandbox"] == 2


def test_settings_decide_how_a_recording_is_judged(informed: str) -> None:
    """Thresholds can be tried on a recording."""
    assert "ZombieBuildup" in run("scan", "--from", informed).stdout
    assert "ZombieBuildup" not in run("scan", "--from", informed, "--set", "zombie-buildup.zombies=13").stdout
