"""The program that judges workflow files, built on first use; helm.py says why this is a module of its own."""

from pathlib import Path

from lab.build.cache import Component, ensure
from lab.build.golang import _component, _Recipe
from lab.pins import GO_MODULES

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
    recipe = _Recipe("actionlint", (f"{_ACTIONLINT}/cmd/actionlint",))
    return _component("go-actionlint", GO_MODULES[_ACTIONLINT], recipe)
