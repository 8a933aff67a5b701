"""Renders manifests/ from the Helm chart: ``python tests/contracts/manifests.py`` (``make manifests``).

For people without helm. Apart from render.py, because it takes helm, which the lab builds. tests/integration/chart
fails when a manifest is not what this renders. manifests/crd.yaml is render.py's: it needs no helm.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from contracts.chart import CHART, REPOSITORY
from lab.build.helm import ensure_helm

COMMAND = "make manifests"
HEADER = f"# Rendered from charts/pausewatch by `{COMMAND}`. Do not edit.\n"
RELEASE = "pausewatch"

FILES: Mapping[str, tuple[str, ...]] = {
    "rbac.yaml": ("namespace", "serviceaccount", "rbac"),
    "own-node-policy.yaml": ("own-node-policy",),
    "workload.yaml": ("configmap", "daemonset"),
}
"""Manifests, and the templates of the chart in each. kubectl applies the files of a directory by their names: what
needs the Namespace comes after rbac.yaml."""

OF_HELM = re.compile(r"^ *(app\.kubernetes\.io/managed-by|helm\.sh/chart): .*\n", re.MULTILINE)
"""Labels that would be untrue of objects that kubectl applied."""

LIMIT_SECONDS = 60


def rendered_manifests() -> dict[str, str]:
    """Return the content of each manifest, by its name.

    Raises:
        BuildError: helm could not be built.
        subprocess.CalledProcessError: It does not take the chart; what it says was printed.
    """
    helm = ensure_helm()
    return {name: _manifest(helm, templates) for name, templates in FILES.items()}


def _manifest(helm: Path, templates: tuple[str, ...]) -> str:
    return HEADER + "---\n".join(_template(helm, template) for template in templates)


def _template(helm: Path, template: str) -> str:
    """Return what one template of the chart becomes, with its comments."""
    with tempfile.TemporaryDirectory() as home:  # helm looks for its repositories there, and needs none
        done = subprocess.run(
            [
                *(helm, "template", RELEASE, CHART, "--namespace", RELEASE, "--set", "namespace.create=true"),
                *("--show-only", f"templates/{template}.yaml"),
            ],
            env={"HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            timeout=LIMIT_SECONDS,
            check=True,
        )
    text = re.sub(r"^# Source: .*\n", "", done.stdout, flags=re.MULTILINE).removeprefix("---\n")
    return re.sub(r"\n{2,}", "\n", OF_HELM.sub("", text)).rstrip() + "\n"


if __name__ == "__main__":
    for name, content in rendered_manifests().items():
        (REPOSITORY / "manifests" / name).write_text(content)
        sys.stdout.write(f"wrote manifests/{name}\n")
