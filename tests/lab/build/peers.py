"""Programs that the benchmark runs beside pausewatch, built on first use; no test needs them.

A module of its own for the reason that helm.py tells.
"""

from pathlib import Path

from lab.build.cache import ensure
from lab.build.golang import _component, _Recipe
from lab.pins import GO_MODULES

_NODE_EXPORTER = "github.com/prometheus/node_exporter"


def ensure_node_exporter() -> Path:
    """Make node_exporter if it is missing, and say where it is; a minute on two cores.

    Raises:
        BuildError: It could not be made.
    """
    recipe = _Recipe("node_exporter", (_NODE_EXPORTER,))
    return ensure(_component("go-node-exporter", GO_MODULES[_NODE_EXPORTER], recipe)) / "bin" / "node_exporter"
