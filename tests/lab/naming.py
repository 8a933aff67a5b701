"""What the labs of a test run are called."""

import os

PREFIX_VARIABLE = "LAB_NAME_PREFIX"

WORKER_VARIABLE = "PYTEST_XDIST_WORKER"
"""Set by pytest-xdist in each of the processes that run tests side by side: gw0, gw1, ..."""


def lab_name(shape: str) -> str:
    """Return the name of a test run's lab of a shape; fixed, so that a run cleans up after a crashed one.

    Two test runs on one machine at the same time need different prefixes in the environment (LAB_NAME_PREFIX).
    """
    parts = (os.environ.get(PREFIX_VARIABLE, "pytest"), os.environ.get(WORKER_VARIABLE), shape)
    return "-".join(part for part in parts if part)
