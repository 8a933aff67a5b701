"""``pausewatch doctor``: what this process can and cannot see on this node, and what is lost by it."""

import click

from pausewatch.cli.console import show_page
from pausewatch.cli.errors import ExitCode
from pausewatch.cli.options import RUNTIME_OPTIONS
from pausewatch.cli.source import FROM_OPTION, Source, require_sandboxes, with_source
from pausewatch.sinks import terminal


@click.command("doctor")
@with_source(FROM_OPTION, *RUNTIME_OPTIONS)
def command(source: Source) -> ExitCode:
    """Tell what this process can and cannot see here, what is lost by it and how to get it.

    Exits with 1 if the container runtime was not reached, so that nothing could be scanned.

    \b
      sudo pausewatch doctor
      pausewatch doctor --runtime-endpoint unix:///run/crio/crio.sock
      pausewatch doctor --from node-7.json
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    snapshot = source.snapshot()
    show_page(terminal.access(snapshot.access))
    require_sandboxes(snapshot, "scan")
    return ExitCode.OK
