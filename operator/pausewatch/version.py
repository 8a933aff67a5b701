"""Which version of pausewatch this is."""

NOT_INSTALLED = "0.0.0+checkout"
"""In a checkout that was not installed there is nothing that knows the version."""


def program_version() -> str:
    """Return the version of the installed distribution, such as ``0.1.0``."""
    # Few ask for it, and whoever starts the program would wait for a reader of mail to be imported.
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version("pausewatch")
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED
