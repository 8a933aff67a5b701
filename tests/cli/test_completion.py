"""What shells are told to complete."""

import subprocess
from pathlib import Path

import pytest

from cli.running import COMMAND, environment, run
from pausewatch.cli.completion import SHELLS, VARIABLE
from pausewatch.cli.main import COMMANDS


def completed(shell: str, *words: str) -> str:
    """Return what the program tells a shell whose last word is unfinished, as the script of that shell asks it."""
    asked = {VARIABLE: f"{shell}_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    if shell == "fish":
        asked["COMP_CWORD"] = words[-1]
    done = subprocess.run(COMMAND, env=environment(**asked), capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_script_asks_this_program(shell: str) -> None:
    """It calls the program under its name with the variable that makes it answer."""
    told = run("completion", shell)

    assert (told.code, told.stderr) == (0, "")
    assert f"{VARIABLE}={shell}_complete" in told.stdout
    assert "pausewatch" in told.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_are_completed_with_their_meaning(shell: str) -> None:
    """Where the shell shows meanings; nothing is imported for it but the list."""
    told = completed(shell, "pausewatch", "ins")

    assert "inspect" in told
    assert "explain" not in told
    assert (COMMANDS["inspect"] in told) is (shell != "bash")


def test_options_and_values_are_completed() -> None:
    """Those of the command that is typed."""
    assert "--problem" in completed("bash", "pausewatch", "inspect", "--pro")
    assert completed("bash", "pausewatch", "scan", "-o", "").split() == [
        f"plain,{one}" for one in ("table", "wide", "json", "yaml")
    ]


def test_names_of_explain_are_completed() -> None:
    """Checks, reasons, alerts and words."""
    assert completed("bash", "pausewatch", "explain", "zom").split() == [
        "plain,ZombieBuildup",
        "plain,zombie",
        "plain,zombie-buildup",
    ]
    assert "PausewatchDown" in completed("bash", "pausewatch", "explain", "pausewatchdo")


def test_bash_completes(tmp_path: Path) -> None:
    """A real bash takes the script, and its function fills in what bash offers."""
    (tmp_path / "script").write_text(run("completion", "bash").stdout)
    program = tmp_path / "pausewatch"
    program.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    typed = (
        f"source {tmp_path}/script; complete -p pausewatch; COMP_WORDS=(pausewatch doc); COMP_CWORD=1;"
        f' _pausewatch_completion {program}; echo "${{COMPREPLY[@]}}"'
    )

    done = subprocess.run(["bash", "-c", typed], env=environment(), capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["complete -o nosort -F _pausewatch_completion pausewatch", "doctor"]


def test_unknown_shell_is_refused() -> None:
    """With those that there are."""
    told = run("completion", "tcsh")

    assert told.code == 2
    assert "bash" in told.error
