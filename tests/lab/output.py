"""Commands that are run for what they print."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

from lab.errors import LabError


def output_of(
    command: Sequence[str],
    limit_seconds: float,
    *,
    name: str = "",
    stdin: str | IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command and return what it prints.

    Args:
        command: Program and arguments.
        limit_seconds: After which it is killed.
        name: How an error names it, where its own words would hide what it does; by default those.
        stdin: A text or a file that it reads; by default nothing.
        environment: All that it is given; by default ours.

    Raises:
        LabError: It failed, or took longer than the limit; ends with what it wrote to standard error.
    """
    what = name or " ".join(command)
    text = stdin if isinstance(stdin, str) else None
    file = None if isinstance(stdin, str) else stdin or subprocess.DEVNULL
    try:
        done = subprocess.run(
            command,
            input=text,
            stdin=file,
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{what}: not done after {limit_seconds:g} s") from None
    if done.returncode:
        raise LabError(f"{what} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
