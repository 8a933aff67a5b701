"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Let Ctrl-C work in programs that tests start: a shell starts background jobs with SIGINT ignored, inherited."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
