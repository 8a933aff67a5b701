"""What the labs of a test run are called."""

import os

PREFIX_VARIABLE = "LAB_NAME_PREFIX"


def lab_name(shape: str) -> str:
    """Return the name of a test run's lab of a shape; fixed, so that a run cleans up after a crashed one.

    Two test runs on one machine at the same time need different prefixes in the environment (LAB_NAME_PREFIX).
    """
    return f"{os.environ.get(PREFIX_VARIABLE, 'pytest')}-{shape}"
