"""Text to stdout and stderr. All output goes through ``write``; stderr takes messages only."""

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pausewatch.cli.errors import CliError

PROGRAM = "pausewatch"

PATIENCE_SECONDS = 2.0
"""After this long without a word a person wonders whether the program hangs."""

CLEAR_LINE = "\r\x1b[K"


def prepare() -> None:
    """Let text that the locale can not express be escaped: a name from a node must not end the program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(message: str) -> None:
    """Write one line to stderr, under the program's name."""
    sys.stderr.write(f"{PROGRAM}: {message}\n")
    sys.stderr.flush()


def write(text: str) -> None:
    """Write output at once: a reader at the other end of a pipe waits for it.

    Raises:
        BrokenPipeError: Nobody reads any more.
        CliError: It can not be written for another cause, such as a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        raise
    except OSError as error:
        discard_output()
        raise CliError(f"cannot write the output: {error.strerror}; write it to another place") from error


def discard_output() -> None:
    """Send what is still buffered nowhere: the interpreter would fail to write it once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class Waiting:
    """What a person at a terminal is told when something takes long."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._shown = False
        self._lock = threading.Lock()

    def tell(self, doing: str) -> None:
        """Say how far it is; seen only if it takes long."""
        with self._lock:
            self._doing = doing
            if self._shown:
                sys.stderr.write(CLEAR_LINE)
                self._write()

    def show(self) -> None:
        """Show it from now on."""
        with self._lock:
            self._shown = True
            self._write()

    def clear(self) -> None:
        """Take the line back."""
        with self._lock:
            if self._shown:
                sys.stderr.write(CLEAR_LINE)
                sys.stderr.flush()
            self._shown = False

    def _write(self) -> None:
        sys.stderr.write(f"{PROGRAM}: {self._doing} ...")
        sys.stderr.flush()


@contextmanager
def patience(doing: str) -> Iterator[Waiting]:
    """Tell a person at a terminal what takes so long, and take the line back when it is done."""
    waiting = Waiting(doing)
    if not sys.stderr.isatty():
        yield waiting
        return
    note = threading.Timer(PATIENCE_SECONDS, waiting.show)
    note.daemon = True
    note.start()
    try:
        yield waiting
    finally:
        note.cancel()
        note.join()
        waiting.clear()
