"""Schemas of Kubernetes objects, from the Go modules that publish them: fetched like any module, built from nothing."""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lab.build.cache import Component
from lab.build.tools import need_tools
from lab.errors import BuildError
from lab.pins import SCHEMA_SOURCES
from lab.progress import say

_DOWNLOAD_SECONDS = 300
_MONITORING = "github.com/prometheus-operator/prometheus-operator"
_OPENAPI = "api/openapi-spec/swagger.json"
_DEFINITIONS = "example/prometheus-operator-crd"

Json = Mapping[str, Any]


def kubernetes_schemas(version: str) -> Component:
    """The kinds of one version of Kubernetes, below v<version>/: a JSON schema each, "daemonset-apps-v1.json".

    From the OpenAPI document that k8s.io/kubernetes keeps of its own API server.
    """
    source = f"k8s.io/kubernetes@v{version}"
    return Component("kubernetes-schemas", version, partial(_write_schemas, source), sources=(Path(__file__),))


def monitoring_definitions() -> Component:
    """The CustomResourceDefinitions of Prometheus Operator."""
    (source,) = [source for source in SCHEMA_SOURCES if source.startswith(f"{_MONITORING}@")]
    version = source.rpartition("@v")[2]
    return Component("monitoring-definitions", version, partial(_copy_definitions, source), sources=(Path(__file__),))


def _write_schemas(source: str, target: Path) -> None:
    folder = target / source.rpartition("@")[2]
    folder.mkdir()
    document = json.loads((_download(source) / _OPENAPI).read_text())
    definitions = {name: _strict(definition) for name, definition in document["definitions"].items()}
    (folder / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            group = kind["group"].split(".")[0]
            parts = (kind["kind"], *([group] if group else []), kind["version"])
            schema = {"$ref": f"definitions.json#/definitions/{name}"}
            (folder / f"{'-'.join(parts).lower()}.json").write_text(json.dumps(schema))


def _strict(schema: Json) -> dict[str, Any]:
    """Return a schema that refuses properties that it does not know, as an API server does that validates strictly."""
    if schema.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    strict = {name: value for name, value in schema.items() if name != "description"}
    if "properties" in strict:
        strict["properties"] = {name: _strict(value) for name, value in strict["properties"].items()}
        strict.setdefault("additionalProperties", False)
    for inner in ("items", "additionalProperties"):
        if isinstance(strict.get(inner), dict):
            strict[inner] = _strict(strict[inner])
    return strict


def _copy_definitions(source: str, target: Path) -> None:
    for path in (_download(source) / _DEFINITIONS).glob("*.yaml"):
        (target / path.name).write_text(path.read_text())


def _download(source: str) -> Path:
    """Fetch a Go module, and return the directory with its files.

    Raises:
        BuildError: It could not be had, or is not the pinned one.
    """
    need_tools({"go": "golang-go"})
    say(f"fetching {source}")
    with tempfile.TemporaryDirectory() as nowhere:  # in a module, its go.mod would have a say
        done = subprocess.run(
            ["go", "mod", "download", "-json", source],
            cwd=nowhere,
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
    told = json.loads(done.stdout or "{}")
    if done.returncode or "Error" in told:
        raise BuildError(f"{source} could not be fetched: {told.get('Error') or done.stderr.strip()}")
    if told["Sum"] != SCHEMA_SOURCES[source]:
        raise BuildError(f"{source} is not what is pinned: its sum is {told['Sum']}, expected {SCHEMA_SOURCES[source]}")
    return Path(told["Dir"])
