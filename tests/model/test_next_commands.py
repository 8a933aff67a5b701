"""Commands that look before they change something, typed into a real shell."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from pausewatch.model.next_commands import LISTED, OTHER, RUNS, STATIC, delete_pod, only_if, unless_listed
from pausewatch.sinks import bounds
from support.parts import WEB_UID

OTHER_UID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What came of typing the command that deletes a pod."""

    deleted: str
    printed: str
    complaint: str
    code: int


def typed(folder: Path, shell: str, *, answers: str = "", fails: str = "") -> Typed:
    """Type the command where kubectl answers about the pod with a text, or fails with one."""
    program = folder / "kubectl"
    program.write_text(
        '#!/bin/sh\n[ "$3" = delete ] && { printf "%s " "$@" > "$(dirname "$0")/deleted"; exit; }\n'
        '[ -n "$FAILS" ] && { echo "$FAILS" >&2; exit 1; }\nprintf %s "$ANSWERS"\n'
    )
    program.chmod(0o755)
    (command,) = delete_pod("team-a", "web-x", WEB_UID)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "ANSWERS": answers, "FAILS": fails}
    done = subprocess.run([shell, "-c", command.command], env=environment, capture_output=True, text=True, check=False)
    deleted = folder / "deleted"
    return Typed(
        deleted=deleted.read_text() if deleted.exists() else "",
        printed=done.stdout,
        complaint=done.stderr,
        code=done.returncode,
    )


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    """A shell that people have."""
    return str(request.param)


def test_pod_that_was_found_is_deleted(tmp_path: Path, shell: str) -> None:
    """By its name, which is all that kubectl takes."""
    done = typed(tmp_path, shell, answers=f"{WEB_UID} ")

    assert done == Typed(deleted="--namespace team-a delete pod web-x ", printed="", complaint="", code=0)


def test_other_pod_of_its_name_is_left_alone(tmp_path: Path, shell: str) -> None:
    """A StatefulSet makes one within seconds."""
    done = typed(tmp_path, shell, answers=f"{OTHER_UID} ")

    assert done == Typed(deleted="", printed=f"{OTHER}\n", complaint="", code=1)


def test_static_pod_is_not_deleted_and_what_to_do_is_said(tmp_path: Path, shell: str) -> None:
    """The API has its mirror pod, with a uid of its own and that of the pod on the node in an annotation."""
    done = typed(tmp_path, shell, answers=f"{OTHER_UID} {WEB_UID}")

    assert done == Typed(deleted="", printed=f"{STATIC}\n", complaint="", code=1)


def test_static_pod_that_was_made_anew_is_another_pod(tmp_path: Path, shell: str) -> None:
    """Its manifest was changed since: what was found has ended."""
    assert typed(tmp_path, shell, answers=f"{OTHER_UID} {OTHER_UID}").printed == f"{OTHER}\n"


@pytest.mark.parametrize("says", ["Error from server (NotFound): pods not found", "Unable to connect to the server"])
def test_without_an_answer_nothing_is_deleted_or_claimed(tmp_path: Path, shell: str, says: str) -> None:
    """Kubectl has said why."""
    assert typed(tmp_path, shell, fails=says) == Typed(deleted="", printed="", complaint=f"{says}\n", code=1)


def test_longest_names_fit_a_report() -> None:
    """A command that is too long would be left out of it."""
    (command,) = delete_pod("n" * bounds.NAMESPACE, "p" * bounds.NAME, WEB_UID)

    assert len(command.command) <= bounds.COMMAND


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
