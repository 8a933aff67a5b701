"""Completion of what is typed: ``kubectl_complete-pausewatch``, which kubectl 1.26 and later ask for it.

The protocol is cobra's (kubectl: pkg/cmd/plugin/plugin_completion.go): what was typed comes as arguments, the last of
them unfinished and possibly empty; an answer is one candidate a line, then a colon and a bit field.
"""

import sys
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem, ShellComplete

from pausewatch.cli.errors import CliError
from pausewatch.kubectl_plugin.kubectl import Kubectl

NO_FILES = 4
"""ShellCompDirectiveNoFileComp of cobra: the shell is not to offer files."""

REPORTS = "podsandboxreports"


def node_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the nodes that have a report."""
    return _starting(_names(context, REPORTS), incomplete)


def pod_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the pods of the namespace that is meant."""
    namespace = context.params.get("namespace")
    return _starting(_names(context, "pods", *([f"--namespace={namespace}"] if namespace else [])), incomplete)


def namespace_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the Kubernetes namespaces."""
    return _starting(_names(context, "namespaces"), incomplete)


def candidates(program: click.Command, typed: Sequence[str]) -> list[str]:
    """Return what the last word may become.

    Args:
        program: Whose commands and options are meant.
        typed: What stands after the program's name, the unfinished word last.
    """
    *before, incomplete = typed or [""]
    completion = ShellComplete(program, {}, "kubectl pausewatch", "")
    return [item.value for item in completion.get_completions(list(before), incomplete) if item.type == "plain"]


def main() -> None:
    """Answer kubectl."""
    # Here, because the program's options name the functions above.
    from pausewatch.kubectl_plugin.main import plugin  # noqa: PLC0415

    lines = [*candidates(plugin, sys.argv[1:]), f":{NO_FILES}"]
    sys.stdout.write("\n".join(lines) + "\n")


def _names(context: click.Context, *what: str) -> list[str]:
    """Return names; none where they can not be listed: a message would be taken for a candidate."""
    kubectl = Kubectl(context=context.params.get("context") or "", kubeconfig=context.params.get("kubeconfig") or "")
    try:
        return kubectl.names(*what)
    except CliError:
        return []


def _starting(names: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
