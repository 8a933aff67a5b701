"""What a scan found."""

from pausewatch.model.report import Severity


def test_critical_is_the_worst() -> None:
    """Findings are sorted by this."""
    assert sorted(Severity, key=lambda one: one.rank) == [Severity.CRITICAL, Severity.WARNING, Severity.INFO]
