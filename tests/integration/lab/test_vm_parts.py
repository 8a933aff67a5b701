"""The way into a virtual machine, tried without one: its two ends talk over the loopback."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import lab.vm
from lab.build.newc import Entry, newc_archive
from lab.vm import client, serve
from lab.waiting import wait_until

_SERVE = Path(lab.vm.__file__).with_name("serve.py")
_ENVIRONMENT = {"PATH": os.defpath, "GREETING": "hello"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """An address of this machine at which commands are run."""
    host = f"127.{os.getpid() % 250 + 1}.0.1"  # of the loopback's own, so that two runs do not meet
    with subprocess.Popen([sys.executable, "-IS", str(_SERVE), host]) as server:
        try:
            wait_until("the server to listen", lambda: _listens(host), 20)
            yield host
        finally:
            server.kill()


def test_both_ends_mean_the_same() -> None:
    """They import nothing, each other included."""
    assert (client.PORT, client.HEAD.format) == (serve.PORT, serve.HEAD.format)


def test_command_is_like_a_child(address: str) -> None:
    """Input, both outputs, environment and exit code are passed on, whatever their size."""
    content = os.urandom(3_000_000)
    script = 'cat; echo "$GREETING" >&2; exit 3'

    done = subprocess.run(
        client.command_line(address, ["sh", "-c", script]),
        input=content,
        env=_ENVIRONMENT,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (3, b"hello\n")
    assert done.stdout == content


def test_command_that_is_not_there(address: str) -> None:
    """As a shell says it."""
    process = _start(address, ["no-such-program"])

    _, complaint = process.communicate(timeout=60)

    assert process.returncode == serve.NOT_FOUND
    assert b"no-such-program" in complaint


def test_signal_is_passed_on(address: str) -> None:
    """And the command may do with it what it likes."""
    process = _start(address, ["sh", "-c", "trap 'echo ended; exit 7' TERM; echo ready; while :; do sleep 0.1; done"])
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"

    process.send_signal(signal.SIGTERM)

    told, _ = process.communicate(timeout=60)
    assert (told, process.returncode) == (b"ended\n", 7)


def test_killed_client_takes_its_command_along(address: str) -> None:
    """With all that the command has started."""
    process = _start(address, ["sh", "-c", "sleep 1000 & echo $$ $!; wait"])
    assert process.stdout
    pids = process.stdout.readline().split()
    assert len(pids) == 2

    process.kill()
    process.communicate(timeout=60)

    wait_until("the command to end", lambda: not any(_runs(int(pid)) for pid in pids), 30)


def test_no_machine_is_told() -> None:
    """With an exit code of its own."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    process = _start(f"127.0.0.1:{port}", ["true"])

    _, complaint = process.communicate(timeout=60)

    assert process.returncode == client.NO_CONNECTION
    assert b"127.0.0.1" in complaint


def test_archive_is_what_cpio_reads() -> None:
    """Each record begins at a multiple of four bytes, and the last one says that it is."""
    archive = newc_archive([Entry.directory("bin"), Entry.program("bin/true", b"\x7fELF!")])

    names = [
        archive[start + 110 :].split(b"\0")[0] for start in range(0, len(archive), 4) if _record_at(archive, start)
    ]
    assert names == [b"bin", b"bin/true", b"TRAILER!!!"]
    assert b"\x7fELF!" + bytes(3) + b"070701" in archive


def _record_at(archive: bytes, start: int) -> bool:
    return archive[start : start + 6] == b"070701"


def _listens(host: str) -> bool:
    try:
        socket.create_connection((host, serve.PORT), 1).close()
    except OSError:
        return False
    return True


def _runs(pid: int) -> bool:
    try:
        return "\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _start(address: str, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        client.command_line(address, command),
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
