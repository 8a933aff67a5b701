"""The product's command line, for tests that use it as people do."""

from pathlib import Path

import pytest

from integration.support.program import Program, installed
from lab.shapes.runtime import RuntimeLab


@pytest.fixture
def program(lab: RuntimeLab, tmp_path: Path) -> Program:
    """``pausewatch`` on PATH, pointed at the lab."""
    return installed(tmp_path, lab)
