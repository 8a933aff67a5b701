"""The fault matrix: one line per fault that was found as it is, healed and cleared, printed at the end of a run."""

import pytest

#: The user property of a case; its value is the line.
MATRIX = "fault matrix"


def write_matrix(reporter: pytest.TerminalReporter) -> None:
    """Print the cases that passed, and how many they are.

    Args:
        reporter: Of the run.
    """
    # The category without a name holds what passed before and after tests.
    ended = [one for one in reporter.getreports("") if one.when == "teardown"]
    failed = {report.nodeid for kind in ("failed", "error") for report in reporter.getreports(kind)}
    lines = [
        f"{report.nodeid.rpartition('/')[2]}: {value}"
        for report in ended
        for name, value in getattr(report, "user_properties", ())
        if name == MATRIX and report.nodeid not in failed
    ]
    if lines:
        reporter.section(MATRIX)
        for line in lines:
            reporter.write_line(line)
        reporter.write_line(f"{len(lines)} faults found as they are, healed and cleared")
