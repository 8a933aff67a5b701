"""``pausewatch doctor``: what this process can and cannot see on this node, and what is lost by it."""

import os
from pathlib import Path

import click

from pausewatch.cli.console import show_page
from pausewatch.cli.errors import ExitCode
from pausewatch.cli.options import KUBECONFIG_OPTION, RUNTIME_OPTIONS
from pausewatch.cli.source import FROM_OPTION, Source, require_sandboxes, with_source
from pausewatch.cli.streams import patience
from pausewatch.cluster.access import api_access
from pausewatch.cluster.connection import find_place
from pausewatch.model.access import AccessFact
from pausewatch.sinks import terminal

NOT_ASKED = (
    "the API server, the rights of an agent, the definition of its report and the own-node policy: there is neither a"
    " kubeconfig nor the token of a pod; name one with --kubeconfig"
)


@click.command("doctor")
@with_source(KUBECONFIG_OPTION, FROM_OPTION, *RUNTIME_OPTIONS)
def command(source: Source, kubeconfig: Path | None) -> ExitCode:
    """Tell what this process can and cannot see here, what is lost by it and how to get it.

    One line for each precondition: ok, or MISSING with what is not found without it and how to get it. Where there is
    a kubeconfig or the token of a pod, the API server is asked as well what an agent could do with it; nothing is
    written there. Exits with 1 if the container runtime was not reached, so that nothing could be scanned.

    \b
      sudo pausewatch doctor
      sudo pausewatch doctor --runtime-endpoint unix:///run/crio/crio.sock
      pausewatch doctor --kubeconfig agent.kubeconfig
      kubectl -n pausewatch exec POD -- pausewatch doctor
      pausewatch doctor --from node-7.json
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    snapshot = source.snapshot()
    asked = _asked(kubeconfig) if source.is_live or kubeconfig else None
    page = terminal.access((*snapshot.access, *(asked or ())))
    show_page(page if asked or not source.is_live else terminal.with_not_asked(page, NOT_ASKED))
    require_sandboxes(snapshot, "scan")
    return ExitCode.OK


def _asked(kubeconfig: Path | None) -> tuple[AccessFact, ...] | None:
    """Return what the API server lets us do; None if nothing tells how to reach one."""
    place = find_place(kubeconfig, os.environ)
    named = kubeconfig or os.environ.get("KUBECONFIG")
    if place.kubeconfig is not None and not named and not place.kubeconfig.exists():
        return None
    with patience("asking the API server"):
        return api_access(place)
