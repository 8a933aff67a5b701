"""Falsify the namespaces in a bundle's config.json, just before runc reads it.

Run by the wrapper as `edit_bundle.py FAULTS RUNC-ARGUMENT...`, alone: it imports nothing of the lab.
In the directory FAULTS, a file called like the container's id is for that one container, and
pods/NAMESPACE/POD/CONTAINER for each start of a container whose id nobody can know in advance: a kubelet makes it.
A fault file is JSON: {"type": "network", "do": "fresh" | "host" | "join", "path": "..."}, the types those of the OCI
runtime specification, or {"do": "script", "busybox": "...", "script": "..."}. The container of a sandbox itself, its
pause, is called "-".
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Annotations in which containerd's CRI says whose container a bundle is (pkg annotations), without their prefix.
_NAMES = ("sandbox-namespace", "sandbox-name", "container-name")


def edit(spec: dict[str, Any], fault: Mapping[str, str]) -> None:
    """Change the namespace entry of the fault's type in place.

    "fresh": an entry without path, so that runc makes a new one. "host": no entry, so that the container stays where
    runc itself is. "join": the path of the fault. "script": no namespace, but a shell script instead of the program,
    run by the busybox at that path of the node.
    """
    if fault["do"] == "script":
        program = {"type": "bind", "source": fault["busybox"], "options": ["bind", "ro"]}
        spec["mounts"].append({"destination": "/bin/busybox", **program})
        spec["process"]["args"] = ["/bin/busybox", "sh", "-c", fault["script"]]
        return
    if fault["type"] == "user" and fault["do"] == "host":
        # With them, runc would not start a container that stays in the user namespace of the node.
        for mappings in ("uidMappings", "gidMappings"):
            spec["linux"].pop(mappings, None)
    namespaces = [entry for entry in spec["linux"]["namespaces"] if entry["type"] != fault["type"]]
    if fault["do"] == "fresh":
        namespaces.append({"type": fault["type"]})
    elif fault["do"] == "join":
        namespaces.append({"type": fault["type"], "path": fault["path"]})
    elif fault["do"] != "host":
        raise ValueError(f"unknown fault: {fault}")
    spec["linux"]["namespaces"] = namespaces


def find_fault(faults: Path, container_id: str, spec: Mapping[str, Any]) -> Path | None:
    """The file of the fault that is set for a container, found by its id or by its names in the pod."""
    names = (spec.get("annotations", {}).get(f"io.kubernetes.cri.{key}") for key in _NAMES)
    candidates = (faults / container_id, faults.joinpath("pods", *(name or "-" for name in names)))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def main(faults: str, runc_arguments: Sequence[str]) -> None:
    """Edit the bundle that the arguments of `runc create` name, if there is a fault for its container."""
    bundle = runc_arguments[runc_arguments.index("--bundle") + 1]
    config = Path(bundle) / "config.json"
    spec = json.loads(config.read_text())
    fault = find_fault(Path(faults), runc_arguments[-1], spec)
    if fault:
        edit(spec, json.loads(fault.read_text()))
        config.write_text(json.dumps(spec))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
