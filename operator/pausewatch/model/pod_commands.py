"""Commands that show a pod: they change nothing, so they may hit another one of its name."""

import shlex

from pausewatch.model.report import NextCommand, RunOn


def inspect_pod(namespace: str, name: str) -> NextCommand:
    """Return the command that shows a pod's sandboxes on its node as a tree."""
    return NextCommand(run_on=RunOn.NODE, command=f"pausewatch inspect {shlex.quote(f'{namespace}/{name}')}")


def get_pod(namespace: str, name: str) -> NextCommand:
    """Return the command that shows whether the API server knows a pod, and where it runs."""
    return _kubectl(namespace, f"get pod {shlex.quote(name)} -o wide")


def describe_pod(namespace: str, name: str) -> NextCommand:
    """Return the command that shows what the API server knows of a pod, its Events included."""
    return _kubectl(namespace, f"describe pod {shlex.quote(name)}")


def _kubectl(namespace: str, arguments: str) -> NextCommand:
    return NextCommand(run_on=RunOn.CLUSTER, command=f"kubectl --namespace {shlex.quote(namespace)} {arguments}")
