"""The program that judges workflow files, built on first use."""

from pathlib import Path

from lab.build.cache import Component, ensure
from lab.build.go_command import go_command

SHAPE = "workflows"
"""What `python -m lab build` calls it; nothing of it is started."""

_ACTIONLINT = "github.com/rhysd/actionlint"


def ensure_actionlint() -> Path:
    """Make actionlint if it is missing, and say where it is; half a minute on two cores.

    Raises:
        BuildError: It could not be made.
    """
    return ensure(component()) / "bin" / "actionlint"


def component() -> Component:
    """The program, below bin/."""
    return go_command("actionlint", _ACTIONLINT, package="cmd/actionlint")
