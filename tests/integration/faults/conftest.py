"""The fault matrix: one file per check, one case per fault, on a real container runtime or cluster.

Faults are made without code of the package; expected values come from readlink, /proc, ctr and kubectl.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from integration.support.fault_case import MATRIX, FaultCase
from integration.support.observer import Thresholds
from integration.support.program import Program, installed
from lab.shapes.runtime import RuntimeLab

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line per case of the matrix that passed, and the total."""
    # The category without a name holds what passed before and after tests.
    ended = [one for one in terminalreporter.getreports("") if one.when == "teardown"]
    failed = {report.nodeid for kind in ("failed", "error") for report in terminalreporter.getreports(kind)}
    lines = [
        f"{report.nodeid.rpartition('/')[2]}: {value}"
        for report in ended
        for name, value in getattr(report, "user_properties", ())
        if name == MATRIX and report.nodeid not in failed
    ]
    if lines:
        terminalreporter.section(MATRIX)
        for line in lines:
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"{len(lines)} faults found as they are, healed and cleared")
