"""The program that is hard on whoever looks at the node: outside of the images, which need not be built anew for it."""

from pathlib import Path

from lab.build.cache import Component, ensure
from lab.build.tools import need_tools, run_build_step

_SOURCE = Path(__file__).parents[1] / "images" / "hostile.c"


def ensure_hostile() -> Path:
    """Make the program if it is missing, and return its directory, to be mounted into containers.

    Raises:
        BuildError: It could not be made.
    """
    return ensure(Component("hostile", "1", _make, (Path(__file__), _SOURCE)))


def _make(target: Path) -> None:
    need_tools({"gcc": "gcc"})
    flags = ["-static", "-O2", "-Wall", "-Wextra", "-Werror"]
    run_build_step("hostile", ["gcc", *flags, "-o", target / "hostile", _SOURCE])
