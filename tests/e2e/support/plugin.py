"""``kubectl pausewatch`` as people type it: kubectl finds the plugin on PATH."""

import os
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
        with (self.folder / "stdout").open("w+") as stdout, (self.folder / "stderr").open("w+") as stderr:
            process = subprocess.Popen(
                ["kubectl", *arguments], env=self._environment(), stdout=stdout, stderr=stderr, cwd=self.folder
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            for file in (stdout, stderr):
                file.seek(0)
            return Ended(
                code=process.returncode,
                stdout=stdout.read(),
                stderr=stderr.read(),
                cpu_seconds=usage.ru_utime + usage.ru_stime,
                most_memory_bytes=usage.ru_maxrss * 1024,
            )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "PYTHONPATH": str(Path(pausewatch.__file__).parents[1]),
            "PYTHONDONTWRITEBYTECODE": "1",
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
