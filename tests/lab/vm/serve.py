"""Runs commands in the virtual machine for `lab.vm.client`: `serve.py ADDRESS`. It imports nothing of the lab.

Whoever reaches the address is root here, as whoever runs the machine is; nothing but the lab is in it.

A connection is one command. It begins with a line of JSON, {"command": [...], "environment": {...}}; then both sides
send frames: one letter, four bytes of length (big endian), content. To here: I input, the empty one ends it; S the
number of a signal. From here: O output, E error output, X the exit code, which is the last one. When the connection
ends before the command does, the command is killed with all that it started in its session.
"""

import json
import os
import signal
import socketserver
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO

PORT = 7000
HEAD = struct.Struct(">cI")
CHUNK = 65536
#: What a shell says of a command that it does not find.
NOT_FOUND = 127


class Handler(socketserver.StreamRequestHandler):
    """One command."""

    def setup(self) -> None:
        """Several threads answer."""
        super().setup()
        self._turn = threading.Lock()

    def handle(self) -> None:
        """Run it to its end."""
        line = self.rfile.readline()
        if not line:
            return  # somebody has looked whether we listen
        asked = json.loads(line)
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                asked["command"], env=asked["environment"], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            self._tell(b"E", f"{error}\n".encode())
            self._tell(b"X", str(NOT_FOUND).encode())
            return
        streams = ((b"O", process.stdout), (b"E", process.stderr))
        answers = [threading.Thread(target=self._answer, args=(letter, stream)) for letter, stream in streams if stream]
        for answer in answers:
            answer.start()
        threading.Thread(target=self._obey, args=(process,), daemon=True).start()
        for answer in answers:
            answer.join()
        self._tell(b"X", str(process.wait()).encode())

    def _answer(self, letter: bytes, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), CHUNK):
            self._tell(letter, chunk)

    def _obey(self, process: "subprocess.Popen[bytes]") -> None:
        while head := self._read(HEAD.size):
            letter, length = HEAD.unpack(head)
            content = self._read(length)
            if letter == b"S":
                process.send_signal(int(content))
            else:
                _feed(process.stdin, content)
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _read(self, length: int) -> bytes:
        """So many bytes; none when the connection has ended."""
        try:
            content = self.rfile.read(length)
        except OSError:
            return b""
        return content if len(content) == length else b""

    def _tell(self, letter: bytes, content: bytes) -> None:
        with self._turn, suppress(OSError):  # nobody listens any more: `_obey` knows what to do
            self.wfile.write(HEAD.pack(letter, len(content)) + content)


def _feed(its_input: IO[bytes] | None, content: bytes) -> None:
    """Write what a command is to read; nothing at all is its end."""
    if its_input is None or its_input.closed:
        return
    with suppress(BrokenPipeError):  # it does not want more
        its_input.write(content)
        its_input.flush()
        if not content:
            its_input.close()


class Server(socketserver.ThreadingTCPServer):
    """One thread for each command."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    with Server((sys.argv[1], PORT), Handler) as server:
        server.serve_forever()
