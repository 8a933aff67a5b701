"""`client.py ADDRESS[:PORT] COMMAND...` runs a command in a virtual machine as if it were a child of this process.

Input, output, exit code, environment and signals are passed on; that a command ended by a signal is told as a shell
does, with 128 and its number. When this process is killed, the command is. It imports nothing of the lab, so that it
starts in a tenth of a second: `command_line` tells how.

For what is said between here and there see `serve.py`.
"""

import json
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

PORT = 7000
HEAD = struct.Struct(">cI")
CHUNK = 65536
CONNECT_SECONDS = 10.0
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
#: What ssh ends with when it, and not the command, failed.
NO_CONNECTION = 255


def command_line(address: str, command: Sequence[str]) -> list[str]:
    """What to run here in order to run a command there."""
    return [sys.executable, "-IS", __file__, address, *command]


class Connection:
    """One command that runs there."""

    def __init__(self, address: str) -> None:
        """Connect. Raises OSError if nobody answers within 10 s."""
        host, _, port = address.partition(":")
        self._socket = socket.create_connection((host, int(port or PORT)), CONNECT_SECONDS)
        self._socket.settimeout(None)
        self._turn = threading.RLock()  # a signal comes in at any time, also while this thread sends

    def run(self, command: Sequence[str]) -> int:
        """Run it with this process's environment, input and output, and return its exit code.

        Raises:
            OSError: The connection broke.
        """
        asked = {"command": list(command), "environment": dict(os.environ)}
        self._send(json.dumps(asked).encode() + b"\n")
        for number in PASSED_ON:
            signal.signal(number, self._pass_on)
        threading.Thread(target=self._feed, daemon=True).start()
        with self._socket.makefile("rb") as answers:
            while True:
                letter, length = HEAD.unpack(_exactly(answers.read(HEAD.size), HEAD.size))
                content = _exactly(answers.read(length), length)
                if letter == b"X":
                    code = int(content)
                    return code if code >= 0 else 128 - code
                _write_all(1 if letter == b"O" else 2, content)

    def _feed(self) -> None:
        with suppress(OSError):  # the command has ended
            while chunk := os.read(0, CHUNK):
                self._tell(b"I", chunk)
            self._tell(b"I", b"")

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):
            self._tell(b"S", str(number).encode())

    def _tell(self, letter: bytes, content: bytes) -> None:
        self._send(HEAD.pack(letter, len(content)) + content)

    def _send(self, data: bytes) -> None:
        with self._turn:
            self._socket.sendall(data)


def _exactly(content: bytes, length: int) -> bytes:
    if len(content) < length:
        raise ConnectionError("the virtual machine, or what runs commands in it, has ended")
    return content


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def main(address: str, command: Sequence[str]) -> int:
    """Run a command there, and return its exit code; 255 if that was not possible."""
    try:
        return Connection(address).run(command)
    except OSError as error:
        print(f"{address}: {error}", file=sys.stderr)  # noqa: T201  it is a program
        return NO_CONNECTION


if __name__ == "__main__":
    # Not by way of the interpreter's end: it would wait for the thread that reads our input.
    code = main(sys.argv[1], sys.argv[2:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
