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


@contextmanager
def patience(doing: str) -> Iterator[None]:
    """Tell a person at a terminal what takes so long, and take the line back when it is done."""
    if not sys.stderr.isatty():
        yield
        return
    shown = threading.Event()
    note = threading.Timer(PATIENCE_SECONDS, _note, args=(doing, shown))
    note.daemon = True
    note.start()
    try:
        yield
    finally:
        note.cancel()
        note.join()
        if shown.is_set():
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()


def _note(doing: str, shown: threading.Event) -> None:
    shown.set()
    sys.stderr.write(f"{PROGRAM}: {doing} ...")
    sys.stderr.flush()
