"""Sources of the runtime of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pausewatch.sources.cri.source import CriSource
from sources.cri.readings import SECONDS, SHORT_SECONDS


@pytest.fixture
def source(path: Path) -> Iterator[CriSource]:
    """Return a source with a time limit that no healthy runtime reaches."""
    made = CriSource(f"unix://{path}", SECONDS)
    yield made
    made.close()


@pytest.fixture
def impatient(path: Path) -> Iterator[CriSource]:
    """Return a source with a short time limit, for a runtime that hangs."""
    made = CriSource(f"unix://{path}", SHORT_SECONDS)
    yield made
    made.close()
