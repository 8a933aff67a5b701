"""Programs that the benchmark runs beside pausewatch, built on first use; no test needs them."""

from pathlib import Path

from lab.build.cache import ensure
from lab.build.go_command import go_command

_NODE_EXPORTER = "github.com/prometheus/node_exporter"


def ensure_node_exporter() -> Path:
    """Make node_exporter if it is missing, and say where it is; a minute on two cores.

    Raises:
        BuildError: It could not be made.
    """
    return ensure(go_command("node_exporter", _NODE_EXPORTER)) / "bin" / "node_exporter"
