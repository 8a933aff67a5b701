"""``pausewatch completion``: what a shell needs to complete commands, options and names of explain."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from pausewatch.cli.errors import ExitCode
from pausewatch.cli.streams import PROGRAM, write

VARIABLE = "_PAUSEWATCH_COMPLETE"
"""Click answers instead of running a command where it is set; the scripts set it."""


class Bash(BashComplete):
    """For bash 4.4 and later, which is not asked for its version: the script is mostly written into a file."""

    @staticmethod
    def _check_version() -> None:
        return


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def command(context: click.Context, shell: str) -> ExitCode:
    """Print what a shell needs to complete commands, options and the names that explain knows.

    \b
      source <(pausewatch completion bash)                # for this shell
      pausewatch completion bash > /etc/bash_completion.d/pausewatch
      pausewatch completion zsh > /usr/local/share/zsh/site-functions/_pausewatch
      pausewatch completion fish > ~/.config/fish/completions/pausewatch.fish
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    program = context.find_root().command
    write(SHELLS[shell](program, {}, PROGRAM, VARIABLE).source() + "\n")
    return ExitCode.OK
