"""helm, as people type it, for the chart of the checkout."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.chart import CHART

RELEASE = "pausewatch"
LIMIT_SECONDS = 60

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Helm:
    """The program, and a home directory of its own, in which it finds no repositories.

    Attributes:
        program: Where it is.
        home: An empty directory.
        namespace: The Kubernetes namespace of the release.
        kubeconfig: Of the cluster; None: it knows of none, and only renders.
    """

    program: Path
    home: Path
    namespace: str
    kubeconfig: Path | None = None

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run helm; it may fail."""
        environment: Mapping[str, str] = {"HOME": str(self.home)}
        if self.kubeconfig:
            environment = {**environment, "KUBECONFIG": str(self.kubeconfig)}
        command = [str(self.program), *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )

    def release(self, verb: str, *arguments: str) -> str:
        """Do something to the release: "install", "upgrade", "rollback", "uninstall"; return what helm prints.

        Raises:
            AssertionError: helm does not do it.
        """
        chart = (str(CHART),) if verb in ("install", "upgrade") else ()
        done = self.run(verb, RELEASE, *chart, f"--namespace={self.namespace}", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def template(self, *arguments: str) -> str:
        """Return what the chart becomes with these arguments.

        Raises:
            AssertionError: helm does not take them.
        """
        done = self._template(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, *arguments: str) -> list[Manifest]:
        """Return the same as documents."""
        return [one for one in yaml.safe_load_all(self.template(*arguments)) if one]

    def the(self, kind: str, *arguments: str) -> Manifest:
        """Return the one object of a kind that the chart becomes with these arguments."""
        (found,) = [one for one in self.objects(*arguments) if one["kind"] == kind]
        return found

    def refusal(self, *arguments: str) -> str:
        """Return why helm does not take these arguments.

        Raises:
            AssertionError: It takes them.
        """
        done = self._template(*arguments)
        assert done.returncode != 0, f"helm takes {arguments}"
        return done.stderr

    def _template(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run("template", RELEASE, str(CHART), f"--namespace={self.namespace}", *arguments)
