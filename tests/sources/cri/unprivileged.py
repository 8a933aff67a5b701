"""Runs a statement as a user without rights, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

NOBODY = 65534


def as_nobody(imports: str, expression: str, folder: Path) -> str:
    """Return what ``expression`` prints in ``folder``; the imports are made before the rights are given up."""
    lines = [imports, "import os", f"os.geteuid() or os.seteuid({NOBODY})", f"print({expression})"]
    child = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return child.stdout.strip() or child.stderr
