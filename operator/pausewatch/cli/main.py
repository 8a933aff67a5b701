"""The program: its commands, found when they are asked for, and the one place that turns errors into exit codes."""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

import click
from click.exceptions import ClickException, Exit, NoArgsIsHelpError
from click.shell_completion import CompletionItem

from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.streams import PROGRAM, prepare, say
from pausewatch.model.text import printable
from pausewatch.version import program_version

DEBUG_VARIABLE = "PAUSEWATCH_DEBUG"

COMMANDS: Mapping[str, str] = {
    "scan": "Judge the pod sandboxes of this node, now.",
    "inspect": "Show sandboxes with their processes and Linux namespaces.",
    "explain": "Tell what a check, reason, alert or word means, offline.",
    "doctor": "Tell what this process can and cannot see here.",
    "record": "Keep two looks at this node in a file, to be judged anywhere.",
    "agent": "Scan this node for ever and keep its report up to date.",
    "completion": "Print the completion of this program for bash, zsh or fish.",
}
"""Each stands in the module of its name, which is imported only to run it: the help needs no container runtime."""


class Ending(click.Group):
    """A group of commands that return their exit code; what goes wrong is one line on stderr."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:  # noqa: ANN401  click's signature
        """Run, and end with an exit code."""
        prepare()
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
        except NoArgsIsHelpError as error:
            error.show()
            code = ExitCode.USAGE
        except ClickException as error:
            say(_usage_text(error))
            code = ExitCode.USAGE
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's signature
        """Run a command and return its exit code."""
        try:
            return super().invoke(ctx)
        except (ClickException, Exit):
            raise
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
        except BrokenPipeError:
            return ExitCode.CLOSED_PIPE
        except CliError as error:
            for line in str(error).splitlines():
                say(line)
            return error.exit_code
        except Exception as error:  # noqa: BLE001  the last resort: no person is to read a trace
            return _bug(error)


class Program(Ending):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the commands in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS, n=1)
            if near and not ctx.resilient_parsing:
                ctx.fail(f"No such command {cmd_name!r}; did you mean {near[0]}?")
            return None
        command: click.Command = importlib.import_module(f"pausewatch.cli.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return commands and options without importing the commands: a person waits for each key."""
        named = [CompletionItem(one, help=text) for one, text in COMMANDS.items() if one.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  see above
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _usage_text(error: ClickException) -> str:
    message = printable(" ".join(error.format_message().split()), longest=400).rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    return f"{message}; see {command} --help"


def _bug(error: Exception) -> ExitCode:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    what = printable(" ".join(f"{type(error).__name__}: {error}".split()))
    say(f"{what}; this is a bug in pausewatch: report it with the output under {DEBUG_VARIABLE}=1")
    return ExitCode.FAILED


def show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click's signature
    """Print the version and end: the callback of an option."""
    if wanted:
        click.echo(f"{PROGRAM} {program_version()}")
        ctx.exit()


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=show_version, help="Show the version."
)
def program() -> None:
    """Diagnose the pod sandboxes of a Kubernetes node.

    Tells which pod and which container is wrong, since when, what proves it and what to type next. It only reads.

    \b
      sudo pausewatch scan                  what is wrong on this node
      sudo pausewatch inspect team-a/web    one pod, as a tree
      pausewatch explain ZombieBuildup      what a finding means
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped


def main() -> NoReturn:
    """Run the program that people type."""
    # Read by grpc when it is imported. Its C library would write its own lines about a runtime that is not there
    # between ours.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    program.main(prog_name=PROGRAM)
