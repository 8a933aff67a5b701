"""The fault matrix: one file per check, one case per fault, on a real container runtime or cluster.

Faults are made without code of the package; expected values come from readlink, /proc, ctr and kubectl.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from integration.support.fault_case import FaultCase
from integration.support.observer import Thresholds
from integration.support.program import Program, installed
from lab.shapes.runtime import RuntimeLab
from support.fault_matrix import MATRIX

StartCase: TypeAlias = Callable[..., FaultCase]


@pytest.fixture
def program(lab: RuntimeLab, tmp_path: Path) -> Program:
    """A shell on the lab's node, with ``pausewatch`` on PATH."""
    return installed(tmp_path, lab)


@pytest.fixture
def start_case(lab: RuntimeLab, record_property: Callable[[str, object], None]) -> Iterator[StartCase]:
    """Start a case for a check, on a node that has to be healthy before the fault is made."""
    with ExitStack() as stack:
        cases: list[FaultCase] = []

        def start(check: str, thresholds: Thresholds | None = None) -> FaultCase:
            cases.append(stack.enter_context(FaultCase(lab, check, thresholds)))
            return cases[-1]

        yield start
        for case in cases:
            record_property(MATRIX, case.line())
