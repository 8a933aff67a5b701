import json
import signal
import socket as sockets
import subprocess
import sys
from pathlib import Path

import pytest

from cli.running import environment, finish, run, start
from pausewatch.cli.main import COMMANDS
from pausewatch.version import program_version


def test_help_names_every_command() -> None:
    """The first thing that people type."""
    told = run("--help")

    assert told.code == 0
    assert all(f"  {name}  " in told.stdout for name in COMMANDS)


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)])
def test_help_has_examples_and_fits_80_columns(arguments: tuple[str, ...]) -> None:
    """Help is read on the smallest terminal, in an incident."""
    told = run(*arguments, "--help")

    assert told.code == 0
    assert "    pausewatch " in told.stdout or "    sudo pausewatch " in told.stdout
    assert max(len(line) for line in told.stdout.splitlines()) <= 80


def test_nothing_typed_shows_the_help() -> None:
    """It is a usage error all the same, for scripts."""
    told = run()

    assert told.code == 2
    assert "Commands:" in told.stderr
    assert told.stdout == ""


def test_version_goes_to_stdout() -> None:
    """One line that scripts can read."""
    told = run("--version")

    assert (told.code, told.stdout) == (0, f"pausewatch {program_version()}\n")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("scna",), "No such command 'scna'; did you mean scan?; see pausewatch --help"),
        (("xyzzy",), "No such command 'xyzzy'; see pausewatch --help"),
        (("--wide",), "No such option '--wide'; see pausewatch --help"),
        (("scan", "-o", "xml"), "'xml' is not one of 'table', 'wide', 'json', 'yaml'; see pausewatch scan --help"),
        (("scan", "--interval", "0"), "see pausewatch scan --help"),
        (("scan", "--interval", "5"), "--watch is not given; see pausewatch scan --help"),
        (("inspect", "--interval", "5"), "--watch is not given; see pausewatch inspect --help"),
        (("scan", "extra\x1b[2J"), "Got unexpected extra argument (extra\\x1b[2J); see pausewatch scan --help"),
        (("record",), "Missing argument 'FILE'; see pausewatch record --help"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], why: str) -> None:
    """What is wrong, and where to read more; nothing of the terminal's language gets through."""
    told = run(*arguments)

    assert told.code == 2
    assert told.error.endswith(why)


def test_help_and_explain_need_no_container_runtime() -> None:
    """Neither gRPC nor the sources are loaded for what works offline."""
    code = (
        "import sys; from pausewatch.cli.main import program\n"
        "for arguments in (['--help'], ['explain', 'ZombieBuildup']):\n"
        "    try: program.main(arguments)\n"
        "    except SystemExit: pass\n"
        "sys.exit(' '.join(one for one in sys.modules if one.startswith(('grpc', 'google', 'pausewatch.sources'))))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)

    assert ended.stderr.strip() == ""


def test_scan_imports_nothing_for_pages_and_recordings() -> None:
    """To import what reads Markdown, recordings and the program's own version takes half as long as all of the rest."""
    code = (
        "import sys; from pausewatch.cli.main import program\n"
        "try: program.main(['scan', '--runtime-endpoint', 'unix:///nowhere'])\n"
        "except SystemExit: pass\n"
        "sys.exit(' '.join({'rich.markdown', 'markdown_it', 'cattrs', 'email'} & {*sys.modules}))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)

    assert ended.stderr.splitlines()[1:] == [""]
    assert "no socket at /nowhere" in ended.stderr


@pytest.mark.parametrize("arguments", [("scan", "-o", "json"), ("scan",), ("inspect",)])
def test_closed_pipe_is_quiet(healthy: str, arguments: tuple[str, ...]) -> None:
    """`| head -1` leaves no trace, and the exit code is what every other program has then."""
    process = start(*arguments, "--from", healthy)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None

    ended = finish(process)

    assert (ended.code, ended.stderr) == (141, "")


def test_full_disk_is_told(healthy: str) -> None:
    """Output that is lost must not look like success."""
    with Path("/dev/full").open("w") as full:
        ended = finish(start("scan", "--from", healthy, stdout=full.fileno()))

    assert ended.code == 1
    assert ended.error == "cannot write the output: No space left on device; write it to another place"


def test_interrupt_is_quiet(socket: str) -> None:
    """Ctrl-C while a runtime hangs ends at once, with the shell's code and without a trace."""
    with sockets.socket(sockets.AF_UNIX) as listening:
        listening.bind(socket)
        listening.listen()
        process = start("scan", "--runtime-endpoint", socket, PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS="30")
        connection, _ = listening.accept()  # it waits for an answer from now on
        with connection:
            process.send_signal(signal.SIGINT)
            ended = finish(process)

    assert (ended.code, ended.stdout, ended.stderr) == (130, "", "")


def test_bug_is_one_line_and_a_trace_on_request() -> None:
    """What nobody foresaw is called what it is; the trace is there for whoever asks."""
    code = (
        "import sys, os; from pausewatch.cli import explain; from pausewatch.cli.main import program\n"
        "explain.command.callback = lambda **_: {}['two\\nlines']\n"
        "program.main(['explain'])"
    )
    command = [sys.executable, "-c", code]
    plain = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    traced = subprocess.run(command, capture_output=True, text=True, env=environment(PAUSEWATCH_DEBUG="1"), check=False)

    assert plain.returncode == traced.returncode == 1
    assert len(plain.stderr.splitlines()) == 1
    assert "KeyError" in plain.stderr
    assert "this is a bug in pausewatch: report it with the output under PAUSEWATCH_DEBUG=1" in plain.stderr
    assert "Traceback" in traced.stderr


def test_names_survive_any_locale(healthy: str) -> None:
    """A character that the locale lacks is escaped instead of ending the program."""
    recording = json.loads(Path(healthy).read_text())
    for look in recording["looks"]:
        look["sandboxes"][0]["name"] = "caf\u00e9"
    Path(healthy).write_text(json.dumps(recording))

    ended = finish(start("inspect", "--from", healthy, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"))

    assert (ended.code, ended.stderr) == (0, "")
    assert "caf\\xe9" in ended.stdout
