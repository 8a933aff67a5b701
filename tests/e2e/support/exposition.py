"""What a scrape of the agent says, read with the parser that Prometheus' own client library has."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True)
class Exposition:
    """One scrape, as text."""

    text: str

    def samples(self, name: str, **labels: str) -> list[Sample]:
        """The samples of a metric that have these labels, and maybe others."""
        return [one for one in self._all() if one.name == name and labels.items() <= one.labels.items()]

    def total(self, name: str, **labels: str) -> float:
        """The sum of these samples; 0 if there are none."""
        return sum(one.value for one in self.samples(name, **labels))

    def findings(self) -> dict[str, int]:
        """How many findings there are, by reason and severity as in "ZombieBuildup Warning"; zeros are left out."""
        return {
            f"{one.labels['reason']} {one.labels['severity']}": int(one.value)
            for one in self.samples("pausewatch_findings")
            if one.value
        }

    def findings_about_pods(self) -> list[str]:
        """The findings that name a pod, as in "OrphanedSandbox lab/web".

        What else is found is about the machine, whose PID namespace the lab's node shares.
        """
        labels = [one.labels for one in self.samples("pausewatch_finding_first_seen_timestamp_seconds")]
        return sorted(f"{one['reason']} {one['namespace']}/{one['pod']}" for one in labels if one["pod"])

    def _all(self) -> Iterator[Sample]:
        for family in text_string_to_metric_families(self.text):
            yield from family.samples
