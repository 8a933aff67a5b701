"""What one check observes, without the rest of a scan."""

from collections.abc import Mapping

from pausewatch.checks._check import Check, Observation, thresholds_of
from pausewatch.model.availability import Unavailable
from pausewatch.model.view import NodeView


def observed(check: Check, node: NodeView, thresholds: Mapping[str, float] | None = None) -> tuple[Observation, ...]:
    """Run a check on a node where something can be judged, with its defaults where no threshold is given."""
    outcome = check.run(node, thresholds_of(check, {check.id: thresholds or {}}))
    assert not isinstance(outcome, Unavailable), outcome
    return outcome
