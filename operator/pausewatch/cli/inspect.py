"""``pausewatch inspect``: sandboxes as a tree, what people do by hand with crictl, readlink and nsenter."""

from collections.abc import Sequence
from difflib import get_close_matches

import click

from pausewatch.cli.console import show_page
from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.options import RUNTIME_OPTIONS
from pausewatch.cli.source import FROM_OPTION, Source, require_sandboxes, with_source
from pausewatch.cli.streams import write
from pausewatch.model.history import History
from pausewatch.model.sandbox import Sandbox
from pausewatch.model.text import printable
from pausewatch.model.view import NodeView
from pausewatch.sinks import report as report_object
from pausewatch.sinks.inspection_object import inspect_object
from pausewatch.sinks.terminal_inspect import inspect as inspect_page


@click.command("inspect")
@click.argument("pod", required=False, metavar="[[NAMESPACE/]POD]")
@click.option(
    "-o", "--output", type=click.Choice(["tree", "json", "yaml"]), default="tree", show_default=True,
    help="json and yaml print the same facts as an object.",
)  # fmt: skip
@with_source(FROM_OPTION, *RUNTIME_OPTIONS)
def command(source: Source, pod: str | None, output: str) -> ExitCode:
    """Show the sandboxes of this node, or of one pod, as a tree.

    Pause and containers with their pid, who is PID 1, who reaps, each Linux namespace, addresses, zombies. A name
    without its namespace shows the pods of that name in all namespaces.

    \b
      pausewatch inspect
      pausewatch inspect team-a/web
      pausewatch inspect web -o json
      pausewatch inspect web --from node-7.json
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    snapshot = source.snapshot()
    require_sandboxes(snapshot, "inspect")
    node = NodeView(snapshot, History())
    every = sorted(node.sandboxes.values(), key=lambda one: (one.namespace, one.name, one.attempt, one.id))
    wanted = every if pod is None else matching(every, pod)
    if output == "tree":
        show_page(inspect_page(node, wanted))
        return ExitCode.OK
    value = inspect_object(node, wanted)
    write(report_object.to_json(value) if output == "json" else report_object.to_yaml(value))
    return ExitCode.OK


def matching(sandboxes: Sequence[Sandbox], wanted: str) -> list[Sandbox]:
    """Return the sandboxes of the pods that are called ``wanted``, with or without their namespace.

    Raises:
        CliError: There is no such pod; names the nearest ones.
    """
    found = [one for one in sandboxes if wanted in (one.name, f"{one.namespace}/{one.name}")]
    if not found:
        raise CliError(f"no pod {printable(wanted)!r} on this node; {_near(sandboxes, wanted)}")
    return found


def _near(sandboxes: Sequence[Sandbox], wanted: str) -> str:
    # Compared with and without the namespace: people forget it, and they mistype it.
    names = {
        name: f"{one.namespace}/{one.name}" for one in sandboxes for name in (one.name, f"{one.namespace}/{one.name}")
    }
    near = dict.fromkeys(names[name] for name in get_close_matches(wanted, names))
    return f"did you mean {' or '.join(near)}?" if near else "pausewatch inspect shows all pods that there are"
