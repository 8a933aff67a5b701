"""How the program ends: exit codes, and the one exception that carries a sentence for people."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Promised to scripts."""

    OK = 0
    FAILED = 1
    """The node could not be read, or the output could not be written."""

    USAGE = 2
    """A flag, an argument or a setting is wrong; nothing was read."""

    FINDINGS = 10
    """Something was found that is as bad as ``--fail-on`` asks for."""

    INCOMPLETE = 11
    """``--require-complete``, and a check could not judge."""

    INTERRUPTED = 130
    """128 + SIGINT, as shells count."""

    CLOSED_PIPE = 141
    """128 + SIGPIPE: whoever read the output has enough of it."""


class CliError(Exception):
    """Ends the program with one line: what is wrong, why, and what to do."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
