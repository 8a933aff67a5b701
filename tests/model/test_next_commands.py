"""Commands that look before they change something, typed into a real shell."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from pausewatch.model.next_commands import LISTED, RUNS, delete_pod, only_if, unless_listed
from pausewatch.sinks import bounds
from support.parts import WEB_UID


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    """A shell that people have."""
    return str(request.param)


def test_pod_is_deleted_by_name_and_uid(tmp_path: Path, shell: str) -> None:
    """The uid is on the standard input, for the API server to compare; that of a real one: tests/e2e."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho "$@" >&2\ncat >&2\necho "the whole pod"\nexit "$CODE"\n')
    kubectl.chmod(0o755)
    (command,) = delete_pod("team-a", "web-x", WEB_UID)

    for code, printed in ((0, "being deleted\n"), (1, "")):
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CODE": str(code)}
        done = subprocess.run(
            [shell, "-c", command.command], env=environment, capture_output=True, text=True, check=False
        )
        asked, options = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (code, printed)
        assert asked == "delete --raw /api/v1/namespaces/team-a/pods/web-x --filename -"
        assert json.loads(options) == {"preconditions": {"uid": WEB_UID}}


def test_longest_names_fit_a_report() -> None:
    """A command that is too long would be left out of it."""
    (command,) = delete_pod("n" * bounds.NAMESPACE, "p" * bounds.NAME, WEB_UID)

    assert len(command.command) <= bounds.COMMAND


def test_pod_without_uid_gets_no_command() -> None:
    """It could not be told from another one."""
    assert delete_pod("team-a", "web-x", "") == ()


@pytest.mark.parametrize("name", ["", ".", "..", "../../team-b/pods/web-x", "x; reboot", "x%2Fy", "X", "a\n", "-a"])
def test_what_is_no_name_of_a_pod_gets_no_command(name: str) -> None:
    """Whoever may talk to the CRI chooses the names there; in a path some would lead to another object."""
    assert delete_pod("team-a", name, WEB_UID) == delete_pod(name, "web-x", WEB_UID) == ()


def test_uid_is_quoted() -> None:
    """For JSON and for the shell."""
    (command,) = delete_pod("team-a", "web-x", """it's "$(reboot)\n""")

    printed = subprocess.run(
        ["sh", "-c", command.command.partition(" | ")[0]], capture_output=True, text=True, check=True
    )
    assert "reboot" in printed.stdout


@pytest.mark.parametrize(("condition", "ran"), [("true", "yes\n"), ("false", "")])
def test_condition_decides(condition: str, ran: str) -> None:
    """Nothing is run without it."""
    done = subprocess.run(["sh", "-c", only_if(condition, "echo yes")], capture_output=True, text=True, check=False)

    assert done.stdout == ran


@pytest.mark.parametrize(
    ("answers", "printed"),
    [
        ({}, "ended\n"),
        ({"pods --quiet --id x": "x"}, f"{LISTED}\n"),
        ({"ps --quiet --all --id x": "x"}, f"{LISTED}\n"),
        ({"pods --quiet --id x": "fails"}, ""),
        ({"ps --quiet --all --id x": "fails"}, ""),
    ],
    ids=["unlisted", "a sandbox", "a container", "no sandboxes told", "no containers told"],
)
def test_what_the_runtime_lists_by_now_is_left_alone(
    tmp_path: Path, shell: str, answers: dict[str, str], printed: str
) -> None:
    """And so is everything while it does not answer."""
    assert asked_of_crictl(tmp_path, shell, unless_listed("x", "echo ended"), answers) == printed


def test_what_the_runtime_runs_by_now_is_left_alone(tmp_path: Path, shell: str) -> None:
    """Of a container that has ended something may be left; it is still listed."""
    command = unless_listed("x", "echo ended", running=True)

    assert asked_of_crictl(tmp_path, shell, command, {"ps --quiet --all --id x": "x"}) == "ended\n"
    for question in ("pods --quiet --state ready --id x", "ps --quiet --id x"):
        assert asked_of_crictl(tmp_path, shell, command, {question: "x"}) == f"{RUNS}\n"


def asked_of_crictl(folder: Path, shell: str, command: str, answers: dict[str, str]) -> str:
    """Type a command where crictl has an answer to each question, none to all others; return what it prints."""
    cases = "".join(
        f"'{question}') {'exit 1' if answer == 'fails' else f'echo {answer}'};;" for question, answer in answers.items()
    )
    program = folder / "crictl"
    program.write_text(f'#!/bin/sh\ncase "$*" in {cases} esac\n')
    program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run([shell, "-c", command], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert (done.returncode == 0) == (done.stdout == "ended\n")
    return done.stdout
