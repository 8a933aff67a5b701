"""The program ``kubectl-pausewatch``, which kubectl calls for ``kubectl pausewatch``."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from pausewatch.cli.console import show_page, stdout_is_terminal
from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.main import Ending, show_version
from pausewatch.cli.streams import patience, write
from pausewatch.kubectl_plugin.completion import namespace_names, node_names, pod_names
from pausewatch.kubectl_plugin.fleet import Fleet, Row, fleet, fleet_object, fleet_page, row_of
from pausewatch.kubectl_plugin.kubectl import Kubectl, NotFoundError, Object
from pausewatch.kubectl_plugin.node import AGENT_OF, node_page
from pausewatch.kubectl_plugin.pod import AskedPod, about, asked, pod_object, pod_page
from pausewatch.kubectl_plugin.stored import StoredReport, parse
from pausewatch.model.report import Severity
from pausewatch.sinks import report as report_object

NAME = "kubectl pausewatch"

SEVERITIES = {severity.value.lower(): severity for severity in Severity}

LEFT_BEHIND = "what a pod that is gone has left on its node is shown by: kubectl pausewatch nodes -n NAMESPACE"
"""An orphaned sandbox has no pod to be asked for, and its finding names one."""

Command = Callable[..., ExitCode]

ALWAYS = "nodes"
"""The command that is meant where none is named."""


class Plugin(Ending):
    """Commands, of which one need not be named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the commands in the order in which people need them."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in front of options that come first."""
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        # Who completes an empty line is to be offered the commands.
        nothing = not args and not ctx.resilient_parsing
        if nothing or (args and args[0].startswith("-") and args[0] not in own):
            args = [ALWAYS, *args]
        return super().parse_args(ctx, args)


OPTIONS = (
    click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig. Default: the current one."),
    click.option("--kubeconfig", default="", metavar="FILE", help="A kubeconfig. Default: the one that kubectl takes."),
    click.option(
        "-o", "--output", type=click.Choice(["table", "wide", "json", "yaml"]), default="table", show_default=True,
        help="wide leaves nothing out; json and yaml are for programs.",
    ),
    click.option("--fail-on", type=click.Choice(list(SEVERITIES)), help="Exit with 10 on a finding this bad or worse."),
    click.option("--require-complete", is_flag=True, help="Exit with 11 where something is not known."),
)  # fmt: skip
NAMESPACE = click.option(
    "-n",
    "--namespace",
    default="",
    metavar="NAME",
    shell_complete=namespace_names,
    help="Findings about its pods only.",
)


def with_options(command: Command) -> Command:
    """Give a command the options that all have, and make of the first two its ``kubectl``."""

    @functools.wraps(command)
    def called(*, context: str, kubeconfig: str, **given: Any) -> ExitCode:  # noqa: ANN401  options by name
        return command(kubectl=Kubectl(context=context, kubeconfig=kubeconfig), **given)

    decorated: Command = called
    for option in reversed(OPTIONS):
        decorated = option(decorated)
    return decorated


@click.group(cls=Plugin, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=show_version, help="Show the version."
)
def plugin() -> None:
    """Show what pausewatch found in a cluster: all nodes, one node, or one pod.

    Reads the PodSandboxReports that the agents keep, by kubectl and with its login, and changes nothing. Without a
    command it shows all nodes. An option of kubectl goes after the command.

    \b
      kubectl pausewatch                     all nodes, worst first
      kubectl pausewatch node node-7         one node, in full
      kubectl pausewatch pod web -n team-a   one pod, against what it asked for
      kubectl pausewatch nodes --fail-on critical || page-somebody

    \b
    Exit codes:
      0    read, whatever was found
      1    could not read
      2    wrong flag or argument
      10   a finding at or above --fail-on, also in a stale report
      11   --require-complete: a report is missing, stale or not complete
      130  interrupted
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped


@plugin.command("nodes", short_help="List all nodes, worst first.")
@with_options
@NAMESPACE
@click.option("-A", "--all-namespaces", is_flag=True, help="Findings about everything, as without -n.")
def nodes(kubectl: Kubectl, namespace: str, *, all_namespaces: bool, **given: Any) -> ExitCode:  # noqa: ANN401  options by name
    """List all nodes, worst first.

    STALE is a node whose agent should have written again and has not, NO REPORT one without an agent's word. Beyond
    fifty rows healthy nodes are counted, not shown.

    \b
      kubectl pausewatch
      kubectl pausewatch nodes -n team-a
      kubectl pausewatch nodes -o json | jq '.nodes[] | select(.critical > 0)'
      kubectl pausewatch nodes --context prod --fail-on warning --require-complete
    """  # noqa: D301  see above
    if all_namespaces and namespace:
        raise click.UsageError("-n is about one namespace and -A about all: give one of them")
    shown = read_fleet(kubectl, namespace)
    _show(given["output"], lambda: fleet_object(shown), lambda wide: show_page(
        fleet_page(shown, wide=wide, terminal=stdout_is_terminal())
    ))  # fmt: skip
    return _exit_code(given, [one for row in shown.rows for one in row.counts if row.counts[one]], shown.is_complete)


@plugin.command("node", short_help="Show one node in full.")
@with_options
@NAMESPACE
@click.argument("name", metavar="NODE", shell_complete=node_names)
def node(kubectl: Kubectl, name: str, namespace: str, **given: Any) -> ExitCode:  # noqa: ANN401  options by name
    """Show one node: findings, conditions, what was not judged, what to type next.

    json and yaml print its PodSandboxReport.

    \b
      kubectl pausewatch node node-7
      kubectl pausewatch node node-7 -o wide
    """  # noqa: D301  see above
    stored = _report(kubectl, name)
    if stored is None:
        raise CliError(
            f"there is no report of node {name!r}: its agent has written none; see kubectl get nodes, and"
            f" {AGENT_OF.format(node=name)}"
        )
    report, now = parse(stored), datetime.now(UTC)
    _show(given["output"], lambda: stored, lambda wide: show_page(
        node_page(report, now, wide=wide, namespace=namespace)
    ))  # fmt: skip
    counted = [one.severity for one in report.findings if one.subject.namespace == namespace]
    found = counted if namespace else [one for one in report.counts if report.counts[one]]
    return _exit_code(given, found, _is_complete(report, now))


@plugin.command("pod", short_help="Show one pod against what it asked for.")
@with_options
@click.option(
    "-n", "--namespace", default="", metavar="NAME", shell_complete=namespace_names, help="Default: the context's."
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Find the pod in whichever namespace it is.")
@click.argument("name", metavar="[NAMESPACE/]POD", shell_complete=pod_names)
def pod(kubectl: Kubectl, name: str, namespace: str, *, all_namespaces: bool, **given: Any) -> ExitCode:  # noqa: ANN401  options by name
    """Show one pod: what it asked for, what that makes expected, and what was found.

    \b
      kubectl pausewatch pod web -n team-a
      kubectl pausewatch pod team-a/web        # as findings write it
      kubectl pausewatch pod web -A -o json
    """  # noqa: D301  see above
    if all_namespaces and namespace:
        raise click.UsageError("-n is about one namespace and -A about all: give one of them")
    written, _, name = name.rpartition("/")
    if written and (all_namespaces or namespace not in ("", written)):
        raise click.UsageError(f"{written}/{name} names a namespace already: leave out -n and -A")
    namespace = namespace or written
    wanted = _pod(kubectl, name, namespace, everywhere=all_namespaces)
    stored = _report(kubectl, wanted.node) if wanted.node else None
    report, now = (None if stored is None else parse(stored)), datetime.now(UTC)
    _show(given["output"], lambda: pod_object(wanted, report, stored, now), lambda wide: show_page(
        pod_page(wanted, report, now, wide=wide)
    ))  # fmt: skip
    found = [] if report is None else [one.severity for one in about(wanted, report)]
    return _exit_code(given, found, report is not None and _is_complete(report, now))


def read_fleet(kubectl: Kubectl, namespace: str = "") -> Fleet:
    """Return all nodes; a page of reports is given back before the next is read.

    Raises:
        CliError: The reports could not be read.
    """
    rows: list[Row] = []
    read = 0
    with ThreadPoolExecutor(max_workers=1) as beside, patience("reading the reports of all nodes") as waiting:
        asked_nodes = beside.submit(kubectl.node_states)
        for page in kubectl.report_pages():
            now = datetime.now(UTC)
            rows += [row for one in page if (row := row_of(parse(one), now, namespace)) is not None]
            read += len(page)
            waiting.tell(f"reading the reports of all nodes: {read:,} so far")
        try:
            states: dict[str, str] | str = asked_nodes.result()
        except CliError as error:
            # Whoever may see reports may not list Nodes: the ClusterRole view lacks them.
            states = str(error)
    return fleet(rows, states, datetime.now(UTC), namespace)


def main() -> NoReturn:
    """Run the program that kubectl calls."""
    plugin.main(prog_name=NAME)


def _report(kubectl: Kubectl, name: str) -> Object | None:
    try:
        with patience(f"reading the report of {name}"):
            stored = kubectl.report(name)
    except NotFoundError:
        return None
    stored.get("metadata", {}).pop("managedFields", None)
    return stored


def _pod(kubectl: Kubectl, name: str, namespace: str, *, everywhere: bool) -> AskedPod:
    try:
        with patience(f"reading pod {name}"):
            found = [asked(one) for one in kubectl.pods(name, namespace, everywhere=everywhere)]
    except NotFoundError as error:
        where = f"namespace {namespace!r}" if namespace else "the namespace of the context"
        raise CliError(f"there is no pod {name!r} in {where}; -A looks in all; {LEFT_BEHIND}") from error
    if not found:
        raise CliError(f"there is no pod {name!r} in any namespace; {LEFT_BEHIND}")
    if len(found) > 1:
        raise CliError(
            f"several namespaces have a pod {name!r}: {', '.join(one.namespace for one in found)}; choose with -n"
        )
    return found[0]


def _is_complete(report: StoredReport, now: datetime) -> bool:
    healthy = report.condition("Healthy")
    return not report.is_stale(now) and healthy is not None and healthy.status != "Unknown"


def _show(output: str, value: Callable[[], Object], show: Callable[[bool], None]) -> None:
    match output:
        case "json":
            write(report_object.to_json(value()))
        case "yaml":
            write(report_object.to_yaml(value()))
        case _:
            show(output == "wide")


def _exit_code(given: dict[str, Any], found: list[Severity], is_complete: bool) -> ExitCode:  # noqa: FBT001  the last of what decides
    bound = SEVERITIES.get(given["fail_on"] or "")
    if bound is not None and any(one.rank <= bound.rank for one in found):
        return ExitCode.FINDINGS
    return ExitCode.INCOMPLETE if given["require_complete"] and not is_complete else ExitCode.OK
