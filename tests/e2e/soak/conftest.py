"""The soak's node has a PID namespace of its own: what other tests leave dead does not reach it, nor the other way.

So it shares the machine with tests that want to be alone, and nobody waits for minutes for its end.
"""

import pytest


@pytest.fixture(autouse=True)
def node() -> None:
    """Take no turn on the machine, where other tests of a cluster do."""
