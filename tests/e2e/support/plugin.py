"""``kubectl pausewatch`` as people type it: kubectl finds the plugin on PATH."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pausewatch
from lab.shapes.cluster import Cluster

SCRIPTS = {
    "kubectl-pausewatch": "pausewatch.kubectl_plugin.main",
    "kubectl_complete-pausewatch": "pausewatch.kubectl_plugin.completion",
}
"""What the wheel installs; tests/contracts/test_packaging.py holds it to these names."""

MEASURING = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.exit(code)
"""
"""Calls a program and writes down what it used. A small process of its own: a child's largest memory counts from before
its exec, when it still has that of whoever started it (Linux: fs/exec.c, exec_mmap)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str
    cpu_seconds: float
    """Of the plugin and every kubectl that it started."""

    most_memory_bytes: int
    """Resident, of the largest of these processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """kubectl with the plugin on PATH, for one cluster."""

    cluster: Cluster
    folder: Path
    """Holds the programs, and is kubectl's home."""

    def run(self, *arguments: str) -> Ended:
        """Run ``kubectl`` with these arguments."""
        used = self.folder / "used"
        command = [sys.executable, "-I", "-S", "-c", MEASURING, str(used), "kubectl", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        cpu_seconds, most_memory_kib = used.read_text().split()
        return Ended(
            code=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
            cpu_seconds=float(cpu_seconds),
            most_memory_bytes=int(most_memory_kib) * 1024,
        )

    @property
    def environment(self) -> dict[str, str]:
        """All that kubectl and the plugin know."""
        return {
            "PATH": f"{self.folder}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "PYTHONPATH": str(Path(pausewatch.__file__).parents[1]),
        }


def put_on_path(cluster: Cluster, folder: Path) -> Plugin:
    """Return kubectl and the plugin's programs in a folder of their own, as an installation makes them."""
    folder.mkdir()
    (folder / "kubectl").symlink_to(cluster.programs.kubectl)
    for name, module in SCRIPTS.items():
        script = folder / name
        script.write_text(f"#!{sys.executable}\nfrom {module} import main\n\nmain()\n")
        script.chmod(0o755)
    return Plugin(cluster=cluster, folder=folder)
