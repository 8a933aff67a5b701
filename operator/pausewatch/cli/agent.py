"""``pausewatch agent``: what the DaemonSet runs."""

import os
from pathlib import Path
from typing import Any

import click

from pausewatch.agent.run import Agent
from pausewatch.agent.startup import set_up_log
from pausewatch.agent.threads import run_and_leave
from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.options import KUBECONFIG_OPTION, RUNTIME_OPTIONS, SET_OPTION, settings_in_force, with_options
from pausewatch.cli.settings_file import settings_file
from pausewatch.cli.streams import write
from pausewatch.cluster.connection import find_place
from pausewatch.settings import Flags


@click.command("agent")
@KUBECONFIG_OPTION
@click.option(
    "--listen", "listen_address", metavar="[HOST]:PORT", help="Address of metrics and health. Default: :7287."
)
@click.option(
    "--events/--no-events", default=None,
    help="Tell findings by Events on their pods and on the Node. Default: --events.",
)  # fmt: skip
@click.option("--print-settings", is_flag=True, help="Print the settings in force, as a settings file, and end.")
@with_options(SET_OPTION, *RUNTIME_OPTIONS)
def command(kubeconfig: Path | None, *, print_settings: bool, **given: Any) -> ExitCode:  # noqa: ANN401  options by name
    """Scan this node for ever and keep its PodSandboxReport up to date.

    Serves /metrics, /healthz and /readyz. Ends on SIGTERM; an API server or a container runtime that is down is told
    and waited for.

    \b
      pausewatch agent --node-name node-7 --kubeconfig agent.kubeconfig
      curl localhost:7287/readyz
      pausewatch agent --print-settings
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    in_force = settings_in_force(Flags(**given))
    if print_settings:
        write(settings_file(in_force))
        return ExitCode.OK
    settings = in_force.settings
    place = find_place(kubeconfig, os.environ)
    if place.kubeconfig is None and not settings.node_name:
        raise CliError(
            "the name of the node is not known: in a pod the host name is the pod's; set NODE_NAME from the field"
            " spec.nodeName (downward API)",
            ExitCode.USAGE,
        )
    set_up_log()
    try:
        run_and_leave(Agent(settings, place).run())
    except OSError as error:
        raise CliError(f"cannot serve {settings.listen_address}: {error}; choose another one with --listen") from error
