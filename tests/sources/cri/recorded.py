"""Recorded answers of real runtimes as messages of the CRI."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict

from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "recordings"


def recorded_sandbox(name: str) -> tuple[cri.PodSandbox, cri.PodSandboxStatusResponse]:
    """Return the entry of the list and the verbose status of ``<runtime>/<pod>``."""
    recording = _load(f"{name}.sandbox.json")
    status = recording["status"]
    listed = {key: status[key] for key in ("id", "metadata", "state")} | {"createdAt": "1795225566520138097"}
    answer = {"status": status, "info": {"info": json.dumps(recording["info"])}}
    return (
        ParseDict(listed, cri.PodSandbox()),
        ParseDict(answer, cri.PodSandboxStatusResponse(), ignore_unknown_fields=True),
    )


def recorded_container(name: str) -> tuple[cri.Container, cri.ContainerStatusResponse]:
    """Return the entry of the list and the verbose status of the container of ``<runtime>/<pod>``."""
    recording = _load(f"{name}.container.json")
    status = recording["status"]
    listed = {key: status[key] for key in ("id", "metadata", "state", "image")}
    listed |= {"podSandboxId": _load(f"{name}.sandbox.json")["status"]["id"]}
    answer = {"status": status, "info": {"info": json.dumps(recording["info"])}}
    return (
        ParseDict(listed, cri.Container(), ignore_unknown_fields=True),
        ParseDict(answer, cri.ContainerStatusResponse(), ignore_unknown_fields=True),
    )


def recorded_info(name: str) -> Mapping[str, Any]:
    """Return the runtime's own JSON of a recording: ``<runtime>/<pod>.sandbox``."""
    return dict(_load(f"{name}.json")["info"])


def _load(file: str) -> Any:  # noqa: ANN401  any JSON
    return json.loads((RECORDINGS / file).read_text())
