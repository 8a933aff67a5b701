"""Which version of pausewatch this is."""

from importlib.metadata import PackageNotFoundError, version

NOT_INSTALLED = "0.0.0+checkout"
"""In a checkout that was not installed there is nothing that knows the version."""


def program_version() -> str:
    """Return the version of the installed distribution, such as ``0.1.0``."""
    try:
        return version("pausewatch")
    except PackageNotFoundError:
        return NOT_INSTALLED
