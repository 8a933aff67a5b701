"""Commands that look before they change something, typed into a real shell."""

import os
import subprocess
from pathlib import Path

import pytest

from pausewatch.model.next_commands import delete_pod, only_if
from support.builders import WEB_UID


def kubectl(folder: Path, uid: str) -> Path:
    """Put a kubectl into a folder that knows one pod by its uid, and writes down what it is told to delete."""
    program = folder / "kubectl"
    program.write_text(
        '#!/bin/sh\n[ "$3" = get ] && { printf %s "$UID_NOW"; exit; }\n'
        'printf "%s\\n" "$@" > "$(dirname "$0")/deleted"\n'
    )
    program.chmod(0o755)
    (command,) = delete_pod("team-a", "web-x", WEB_UID)
    path = f"{folder}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command.command], env={"PATH": path, "UID_NOW": uid}, check=False)
    return folder / "deleted"


def test_pod_that_was_found_is_deleted(tmp_path: Path) -> None:
    """By its name, which is all that kubectl takes."""
    deleted = kubectl(tmp_path, WEB_UID)

    assert deleted.read_text().split() == ["--namespace", "team-a", "delete", "pod", "web-x"]


@pytest.mark.parametrize("uid", ["7c9e6679-7425-40de-944b-e07fc1f90ae7", ""])
def test_other_pod_of_its_name_is_left_alone(tmp_path: Path, uid: str) -> None:
    """A StatefulSet makes one within seconds; or there is none any more."""
    assert not kubectl(tmp_path, uid).exists()


def test_pod_without_uid_gets_no_command() -> None:
    """It could not be told from another one."""
    assert delete_pod("team-a", "web-x", "") == ()


def test_names_are_quoted() -> None:
    """Whoever may talk to the CRI chooses the names there."""
    (command,) = delete_pod("a b", "x; reboot", "it's")

    assert command.command.count("'x; reboot'") == command.command.count("'a b'") == 2
    subprocess.run(["sh", "-n", "-c", command.command], check=True)


@pytest.mark.parametrize(("condition", "ran"), [("true", "yes\n"), ("false", "")])
def test_condition_decides(condition: str, ran: str) -> None:
    """Nothing is run without it."""
    done = subprocess.run(["sh", "-c", only_if(condition, "echo yes")], capture_output=True, text=True, check=False)

    assert done.stdout == ran
