"""What of the Helm chart follows from other files: its definition, its schema of settings, the tables of its README.

``make render`` writes them. test_rendered.py fails when one is not current, test_chart.py when a value is undescribed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.marks import fill
from pausewatch.checks._check import all_checks
from pausewatch.model.settings import Kind
from pausewatch.setting_table import all_settings, declarations
from pausewatch.settings import RULE_FIELDS

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "charts" / "pausewatch"
DEFINITION = REPOSITORY / "operator" / "pausewatch" / "crd.yaml"

OF_THE_CHART = frozenset({"nodeName", "listenAddress", "runtimeSocketRoot"})
"""Settings that the chart itself gives its agents: another value would break probes, mounts or names."""

_TYPES: Mapping[Kind, Mapping[str, object]] = {
    Kind.TEXT: {"type": "string"},
    Kind.ENDPOINT: {"type": "string", "pattern": "^(unix:(//)?)?/"},
    Kind.SWITCH: {"type": "boolean"},
}

_KEEP = """  annotations:
    # Whoever removes the agents keeps the reports; and helm never removes the definition by mistake.
    helm.sh/resource-policy: keep
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of the chart that is described."""

    path: str
    """With dots between the levels."""

    text: str
    default: object


def described_values() -> tuple[Value, ...]:
    """Return every value that a comment ``# --`` in values.yaml describes, in order."""
    content = (CHART / "values.yaml").read_text()
    values = yaml.safe_load(content)
    found: list[Value] = []
    parents: list[str] = []
    text: list[str] = []
    for line in content.splitlines():
        stripped = line.strip()
        if stripped.startswith("# -- "):
            text = [stripped.removeprefix("# -- ")]
        elif stripped.startswith("#") and text:
            text.append(stripped.removeprefix("#").strip())
        elif key := re.match(r"( *)([A-Za-z]+):", line):
            parents = [*parents[: len(key[1]) // 2], key[2]]
            if text:
                found.append(Value(path=".".join(parents), text=" ".join(text), default=_at(values, parents)))
            text = []
        else:
            text = []
    return tuple(found)


def leaves(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the path of every value that is no mapping with entries."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def profiles() -> tuple[Path, ...]:
    """Return the files with values for one kind of cluster each."""
    return tuple(sorted((CHART / "profiles").glob("*.yaml")))


def render_crd_template() -> str:
    """Return the template of the definition: in templates/, because helm never upgrades what lies in crds/."""
    definition = yaml.safe_load(DEFINITION.read_text())
    name = definition["metadata"]["name"]
    head = (
        "{{- if .Values.crd.enabled }}\n"
        "# Rendered from operator/pausewatch/crd.yaml by `make render`. Do not edit.\n"
        f"apiVersion: {definition['apiVersion']}\n"
        f"kind: {definition['kind']}\n"
        "metadata:\n"
        f"  name: {name}\n"
        "  labels:\n"
        '    {{- include "pausewatch.labels" . | nindent 4 }}\n'
        f"  {{{{- if .Values.crd.keep }}}}\n{_KEEP}  {{{{- end }}}}\n"
    )
    return head + yaml.safe_dump({"spec": definition["spec"]}, sort_keys=False, width=120) + "{{- end }}\n"


def render_values_schema() -> str:
    """Return values.schema.json: written by hand, but for the settings, which follow from their table."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    schema["properties"]["settings"] = settings_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def settings_schema() -> dict[str, object]:
    """Return the schema of the settings that the chart takes."""
    declared = declarations()
    known: dict[str, object] = {}
    for one in all_settings():
        if one.attribute and one.key not in OF_THE_CHART:
            declaration = declared[one.attribute]
            bounds = {"type": "number", "minimum": declaration.minimum, "maximum": declaration.maximum}
            kind = bounds if declaration.kind is Kind.NUMBER else _TYPES[declaration.kind]
            known[one.key] = {"description": declaration.meaning, **kind}
    checks = {
        check.id: _closed(
            {one.name: {"description": one.why, "type": "number", "minimum": one.minimum} for one in check.thresholds}
        )
        for check in all_checks()
        if check.thresholds
    }
    known["thresholds"] = {"description": declared["thresholds"].meaning, **_closed(checks)}
    fields: dict[str, object] = {name: {"type": "string"} for name in RULE_FIELDS}
    fields["check"] = {"enum": [check.id for check in all_checks()]}
    rule = _closed(fields) | {"minProperties": 1}
    known["ignore"] = {"description": declared["ignore"].meaning, "type": "array", "items": rule}
    return _closed(known)


def render_chart_readme() -> str:
    """Return the chart's README with its tables: the text around the marks is written by hand."""
    readme = (CHART / "README.md").read_text()
    values = [f"| `{one.path}` | {one.text} | `{json.dumps(one.default)}` |" for one in described_values()]
    rows = [f"| [{path.stem}](profiles/{path.name}) | {_about(path)} |" for path in profiles()]
    readme = fill(readme, "profiles", "\n".join(("| profile | for |", "|---|---|", *rows)))
    return fill(readme, "values", "\n".join(("| value | meaning | default |", "|---|---|---|", *values)))


def _about(profile: Path) -> str:
    """Return the comment at the top of a profile."""
    lines = profile.read_text().splitlines()
    return " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))


def _closed(properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _at(values: Any, path: list[str]) -> object:  # noqa: ANN401  whatever YAML holds
    for name in path:
        values = values[name]
    return values
