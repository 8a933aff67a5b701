"""Options that several commands have, and the settings that they and the environment make."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.settings import Flags, InForce, SettingsError, load

Command = Callable[..., ExitCode]
Decorator = Callable[[Command], Command]

RUNTIME_OPTIONS: tuple[Decorator, ...] = (
    click.option("--runtime-endpoint", metavar="URI", help="The CRI socket, unix:///path. Default: the usual places."),
    click.option("--node-name", metavar="NAME", help="What to call this node. Default: its host name."),
    click.option(
        "--settings",
        "settings_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Settings in YAML, as agent --print-settings shows them.",
    ),
)
KUBECONFIG_OPTION: Decorator = click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="How to reach the API server. Default: KUBECONFIG, the pod's service account, ~/.kube/config.",
)
SET_OPTION: Decorator = click.option(
    "--set",
    "thresholds",
    metavar="CHECK.THRESHOLD=N",
    multiple=True,
    help="Move a threshold; explain lists them. Repeatable.",
)


def with_options(*options: Decorator) -> Decorator:
    """Give a command these options, to be listed in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def settings_in_force(flags: Flags) -> InForce:
    """Return the settings of flags, environment and file, with the places that they come from.

    Raises:
        CliError: With every problem, one per line.
    """
    try:
        return load(flags, os.environ)
    except SettingsError as error:
        raise CliError(str(error), ExitCode.USAGE) from error
