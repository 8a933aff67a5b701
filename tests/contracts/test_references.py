"""The pages that list metrics and fields list what there is, and nothing else."""

import re
from pathlib import Path

import yaml

from contracts.render import SCHEMA, fields, schema
from contracts.test_crd import REPORTS, emitted_paths
from pausewatch.sinks.metric_families import FAMILIES
from pausewatch.sinks.report import render

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str) -> set[str]:
    """Return the names in the first column of a page's table."""
    return set(re.findall(r"^\| `([^`]+)` \|", (DOCS / page).read_text(), re.MULTILINE))


def test_every_field_that_is_written_is_documented_and_the_reverse() -> None:
    """What an agent emits, against the page that people read."""
    written = {path for report in REPORTS.values() for path in emitted_paths(render(report))}

    assert rows("resource.md") == {path for path in written if path.split(".")[0] in ("spec", "status")}
    assert rows("resource.md") == {path for path, _ in fields(schema()) if path.split(".")[0] in ("spec", "status")}


def test_every_metric_is_documented_and_the_reverse() -> None:
    """tests/sinks/test_metrics.py holds what is exported to the same table of families."""
    assert rows("metrics.md") == {family.name for family in FAMILIES}


def test_pages_name_the_resource_as_kubectl_does() -> None:
    """The short name that all examples use."""
    assert yaml.safe_load(SCHEMA.read_text())["spec"]["names"]["shortNames"] == ["psr"]
