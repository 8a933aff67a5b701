"""What holds for every test."""

import signal

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from support.fault_matrix import write_matrix
from support.shared_node import ALONE
from support.side_by_side import Scheduling, turn


def pytest_configure() -> None:
    """Let Ctrl-C work in programs that tests start: a shell starts background jobs with SIGINT ignored, inherited."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


# The same inputs in each run, however busy the machine is: what is new is looked for by `make fuzz`.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, and end with what wants the node alone: everybody waits while one waits for it."""
    items.sort(key=lambda item: (turn(item.nodeid), item.get_closest_marker(ALONE) is not None))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Hand out tests that run side by side as they belong together."""
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the fault matrix, if any of it was run."""
    write_matrix(terminalreporter)
