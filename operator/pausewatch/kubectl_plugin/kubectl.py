"""The API server, asked by kubectl itself: every login that kubectl knows works here, and none is ours to get wrong."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from pausewatch.cli.errors import CliError
from pausewatch.model.text import printable

PROGRAM = "kubectl"

REPORTS = "/apis/pausewatch.github.io/v1alpha1/podsandboxreports"

NODES = "/api/v1/nodes"

PAGE_SIZE = 500
"""Objects of one answer, as kubectl asks for lists itself (kubectl get --chunk-size). Reports are 1 MB then where
little is wrong, Nodes 5 to 15 MB; no more is held at one time."""

LONGEST_CAUSE = 400

Object = dict[str, Any]


class NotFoundError(CliError):
    """The object that was asked for is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """How to call kubectl; an empty value is left to kubectl."""

    context: str = ""
    kubeconfig: str = ""
    program: str = PROGRAM

    def report_pages(self) -> Iterator[list[Object]]:
        """Yield all stored reports, page by page; what was read of a page is not needed for the next.

        Raises:
            CliError: With what kubectl says, and what to do.
        """
        return self._pages(REPORTS)

    def report(self, node: str) -> Object:
        """Return the stored report of one node.

        Raises:
            NotFoundError: There is none.
            CliError: It could not be read.
        """
        return self.get_raw(f"{REPORTS}/{quote(node, safe='')}")

    def node_states(self) -> dict[str, str]:
        """Return the state of every Node by its name: Ready, NotReady or Unknown, as kubectl calls it.

        Raises:
            CliError: They may not be listed, or could not be.
        """
        # Page by page: of a Node that was read only its name and state stay in memory.
        return {
            printable(str(_member(one, "metadata").get("name", ""))): _state(one)
            for page in self._pages(NODES)
            for one in page
        }

    def names(self, *what: str) -> list[str]:
        """Return the first column of ``kubectl get``: names, for the completion of what is typed.

        Raises:
            CliError: They could not be listed.
        """
        lines = self.run("get", *what, "--no-headers").splitlines()
        return [printable(line.split()[0]) for line in lines if line.strip()]

    def pods(self, name: str, namespace: str, *, everywhere: bool) -> list[Object]:
        """Return the pods of one name: of a namespace, of the context's, or of all.

        Raises:
            NotFoundError: There is none in that namespace.
            CliError: They could not be read.
        """
        if everywhere:
            selector = f"--field-selector=metadata.name={name}"
            return _items(_parsed(self.run("get", "pods", "--all-namespaces", selector, "--output=json")))
        chosen = [f"--namespace={namespace}"] if namespace else []
        return [_parsed(self.run("get", "pod", *chosen, "--output=json", "--", name))]

    def get_raw(self, path: str) -> Object:
        """Return what the API server answers to a GET.

        Raises:
            CliError: With what kubectl says, and what to do.
        """
        return _parsed(self.run("get", f"--raw={path}"))

    def _pages(self, path: str) -> Iterator[list[Object]]:
        token = ""
        while True:
            query = {"limit": str(PAGE_SIZE)} | ({"continue": token} if token else {})
            page = self.get_raw(f"{path}?{urlencode(query)}")
            token = str(_member(page, "metadata").get("continue") or "")
            yield _items(page)
            if not token:
                return

    def run(self, *arguments: str) -> str:
        """Return what kubectl prints.

        Raises:
            CliError: It is not there, or says that it could not do it.
        """
        flags = [
            f"--{name}={value}" for name, value in (("context", self.context), ("kubeconfig", self.kubeconfig)) if value
        ]
        verb, *rest = arguments
        try:
            done = subprocess.run([self.program, verb, *flags, *rest], capture_output=True, check=False)  # noqa: S603  words of our own, and names as arguments of theirs
        except OSError as error:
            raise CliError(
                f"cannot run {self.program}: {error.strerror}; install kubectl, or add it to PATH"
            ) from error
        if done.returncode:
            raise _refusal(verb, done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "replace")


def _refusal(verb: str, said: str) -> CliError:
    """Return the error that kubectl's words stand for."""
    # Warnings of a login program may come first; what kubectl itself says is last.
    cause = printable(" ".join(said.split()), longest=LONGEST_CAUSE) or "it says nothing"
    text = f"kubectl {verb} failed: {cause}"
    if "could not find the requested resource" in said or "doesn't have a resource type" in said:
        return CliError(f"{text}; the cluster knows no PodSandboxReport: install pausewatch there (docs/install.md)")
    if "(NotFound)" in said:
        return NotFoundError(text)
    if "(Forbidden)" in said:
        granted = "the right to get and list podsandboxreports is in the chart's ClusterRole for view"
        asked = "ask for this right those who run the cluster"
        return CliError(f"{text}; {granted if 'podsandboxreports' in said else asked}")
    if "(Expired)" in said:
        return CliError(f"{text}; the list was read too slowly: try again")
    if "context" in said and "does not exist" in said:
        return CliError(f"{text}; `kubectl config get-contexts` lists those that do")
    return CliError(f"{text}; see whether `kubectl get psr` works")


def _parsed(text: str) -> Object:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CliError(f"kubectl printed no JSON: {printable(str(error))}; check which kubectl is on PATH") from error
    return found if isinstance(found, dict) else {}


def _state(node: Object) -> str:
    """Return the state of a Node (k8s.io/api/core/v1: NodeReady; Unknown where its kubelet has never told)."""
    conditions = _member(node, "status").get("conditions")
    listed = [one for one in conditions if isinstance(one, dict)] if isinstance(conditions, list) else []
    ready = next((one.get("status") for one in listed if one.get("type") == "Ready"), "")
    return {"True": "Ready", "False": "NotReady", "Unknown": "NotReady"}.get(str(ready), "Unknown")


def _items(page: Object) -> list[Object]:
    items = page.get("items")
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _member(value: Object, name: str) -> Object:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
