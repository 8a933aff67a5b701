"""Falsify the namespaces in a bundle's config.json, just before runc reads it.

Run by the wrapper as `edit_bundle.py FAULT-FILE RUNC-ARGUMENT...`, alone: it imports nothing of the lab.
A fault file is JSON: {"type": "network", "do": "fresh" | "host" | "join", "path": "..."}, the types those of the OCI
runtime specification.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def edit(spec: dict[str, Any], fault: Mapping[str, str]) -> None:
    """Change the namespace entry of the fault's type in place.

    "fresh": an entry without path, so that runc makes a new one. "host": no entry, so that the container stays where
    runc itself is. "join": the path of the fault.
    """
    namespaces = [entry for entry in spec["linux"]["namespaces"] if entry["type"] != fault["type"]]
    if fault["do"] == "fresh":
        namespaces.append({"type": fault["type"]})
    elif fault["do"] == "join":
        namespaces.append({"type": fault["type"], "path": fault["path"]})
    elif fault["do"] != "host":
        raise ValueError(f"unknown fault: {fault}")
    spec["linux"]["namespaces"] = namespaces


def main(fault_file: str, runc_arguments: Sequence[str]) -> None:
    """Edit the bundle that the arguments of `runc create` name."""
    bundle = runc_arguments[runc_arguments.index("--bundle") + 1]
    config = Path(bundle) / "config.json"
    spec = json.loads(config.read_text())
    edit(spec, json.loads(Path(fault_file).read_text()))
    config.write_text(json.dumps(spec))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
