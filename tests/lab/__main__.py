"""The lab's command line: `PYTHONPATH=tests python -m lab --help`."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from lab.build import agent_image as image_build
from lab.build import cluster as cluster_build
from lab.build import helm as chart_build
from lab.build import runtime as runtime_build
from lab.build import vm as vm_build
from lab.build import workflow_linter
from lab.build.cache import cache_root, key_of_all
from lab.errors import LabError
from lab.pins import CONTAINERD_2_4, RUNTIME_VERSIONS
from lab.places import Places, lab_names
from lab.pods import SLEEP, Container, Pod
from lab.records import read_record
from lab.remains import find_remains
from lab.shapes import cluster, runtime
from lab.shapes import nested_node as nested_nodes
from lab.shapes import vm_node as vm_nodes

_NAME = click.argument("name")
#: What can be started: a version of the runtime alone, or a cluster.
_SHAPES = (*sorted(RUNTIME_VERSIONS), cluster.NAME)
#: What can be built: the parts of a node with its own kernel are of no use without a cluster.
_BUILDS = (*_SHAPES, vm_nodes.SHAPE, chart_build.SHAPE, image_build.SHAPE, workflow_linter.SHAPE)
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Group(click.Group):
    """Prints what went wrong in one line instead of a traceback, and exits 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except LabError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Real container runtimes, started from nothing, to make and break pods in.

    A lab is named after its version unless --name says otherwise, and keeps to itself: its own mount and network
    namespaces, cgroup and directories. It needs root.

    \b
    Examples:
      python -m lab build                       # once, a few minutes
      python -m lab start containerd-2.4        # runs until it is stopped
      python -m lab pod run containerd-2.4 web
      python -m lab pod list containerd-2.4
      python -m lab ctr containerd-2.4 tasks ls
      python -m lab stop containerd-2.4
      python -m lab start containerd-1.6 --foreground   # until Ctrl-C
      python -m lab start cluster               # one node of Kubernetes
      python -m lab start cluster --nested-node node-b   # and one more, in a PID namespace of its own, as in kind
      python -m lab start cluster --vm-node node-c       # or one with a kernel of its own: cgroup v2, AppArmor
      python -m lab enter cluster/node-b -- ps -ef
      python -m lab kubectl cluster get nodes   # elsewhere: KUBECONFIG=$(python -m lab kubeconfig)
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped


@main.command()
@click.argument("shapes", nargs=-1, type=click.Choice(_BUILDS))
def build(shapes: Sequence[str]) -> None:
    """Build or unpack what labs run (everything by default; of that, the cluster takes most of the time)."""
    for shape in shapes or _BUILDS:
        if shape == vm_nodes.SHAPE:
            vm_build.ensure_vm_parts()
        elif shape == chart_build.SHAPE:
            chart_build.ensure_chart_tools()
        elif shape == image_build.SHAPE:
            image_build.agent_image()
        elif shape == workflow_linter.SHAPE:
            workflow_linter.ensure_actionlint()
        elif shape == cluster.NAME:
            runtime_build.ensure_programs(CONTAINERD_2_4)
            cluster_build.ensure_cluster_programs()
        else:
            runtime_build.ensure_programs(RUNTIME_VERSIONS[shape])
    click.echo(cache_root())


@main.command("cache-key")
def print_cache_key() -> None:
    """Print a key that changes when the content of the cache would: for a CI that keeps the cache."""
    of_runtimes = [part for version in RUNTIME_VERSIONS.values() for part in runtime_build.components(version)]
    others = (*cluster_build.components(), *vm_build.components(), *chart_build.components(), *image_build.parts())
    click.echo(key_of_all([*of_runtimes, *others, workflow_linter.component()]))


@main.command()
@click.argument("shape", default=CONTAINERD_2_4.name, type=click.Choice(_SHAPES))
@click.option("--name", default="", help="What to call it; like its shape by default.")
@click.option("--foreground", is_flag=True, help="Stay, and stop the lab on Ctrl-C, SIGTERM or SIGHUP.")
@click.option("--nested-node", metavar="NODE", default="", help="Of a cluster: one more, with its own PID namespace.")
@click.option("--vm-node", metavar="NODE", default="", help="Of a cluster: one more, with its own kernel.")
def start(shape: str, name: str, nested_node: str, vm_node: str, *, foreground: bool) -> None:
    """Start a lab (containerd-2.4 by default) and print its CRI endpoint, or a cluster's kubeconfig.

    What a dead lab of this name left is removed first.
    """
    if (nested_node or vm_node) and shape != cluster.NAME:
        raise click.UsageError("--nested-node and --vm-node are for a cluster")
    for number in _ENDING_SIGNALS:
        # SIGINT as well: a shell that runs us in the background has it ignored.
        signal.signal(number, _interrupt)
    lab: runtime.RuntimeLab | cluster.Cluster
    if shape == cluster.NAME:
        lab = _start_cluster(name or shape, nested_node, vm_node, owned=foreground)
        answer = str(lab.kubeconfig)
    else:
        lab = runtime.start(RUNTIME_VERSIONS[shape], name, owned=foreground)
        answer = lab.endpoint
    try:
        click.echo(answer)
        if foreground:
            click.echo("Ctrl-C stops the lab.", err=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        click.echo("", err=True)
    finally:
        if foreground:
            # A second Ctrl-C must not leave half a lab: stopping has limits of its own.
            for number in _ENDING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            lab.stop()
        else:
            lab.close()


def _start_cluster(name: str, nested_node: str, vm_node: str, *, owned: bool) -> cluster.Cluster:
    started = cluster.start(name, owned=owned)
    try:
        if nested_node:
            nested_nodes.start(started, nested_node).close()
        if vm_node:
            vm_nodes.start(started, vm_node).close()
    except BaseException:
        started.stop()
        raise
    return started


@main.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every lab there is anything of, but those in use.")
def stop(names: Sequence[str], *, everything: bool) -> None:
    """Stop labs and remove everything they left; also after a crash."""
    if bool(names) == everything:
        raise click.UsageError("name labs, or say --all")
    for name in lab_names() if everything else names:
        record = read_record(Places(name)) if everything else None
        if record and record.owner and record.owner.is_alive():
            # It may be the hours of a test.
            click.echo(f"{name} is left alone: process {record.owner.pid} uses it; name it to stop it all the same")
        else:
            cluster.stop(name)  # of either shape


@main.command()
@click.argument("names", nargs=-1)
@click.option("-v", "--verbose", is_flag=True, help="Everything that is there of each lab.")
def status(names: Sequence[str], *, verbose: bool) -> None:
    """Say which labs there are, and which are only remains."""
    for name in names or lab_names():
        places = Places(name)
        record = read_record(places)
        remains = find_remains(places)
        if record and record.containerd.is_alive():
            owner = f"owned by process {record.owner.pid}" if record.owner else "runs until it is stopped"
            click.echo(f"{name}\trunning\t{record.version}\tunix://{places.socket}\t{owner}")
        else:
            click.echo(f"{name}\t{f'dead, left {len(remains)} things' if remains else 'nothing'}")
        for line in remains if verbose else ():
            click.echo(f"  {line}")


@main.command()
@click.argument("name", default=cluster.NAME)
@click.option("--service-account", metavar="NAMESPACE/NAME", default="", help="One with its token, good for an hour.")
def kubeconfig(name: str, service_account: str) -> None:
    """Print the path of a cluster's kubeconfig, an administrator's by default."""
    found = cluster.attach(name)
    if service_account:
        namespace, separator, account = service_account.partition("/")
        if not separator:
            raise click.UsageError("--service-account needs NAMESPACE/NAME")
        click.echo(found.service_account_kubeconfig(account, namespace))
    else:
        click.echo(found.kubeconfig)


@main.command(context_settings={"ignore_unknown_options": True})
@_NAME
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kubectl(name: str, arguments: Sequence[str]) -> None:
    """Run kubectl as a cluster's administrator: `kubectl NAME -- get pods --all-namespaces`."""
    click.echo(cluster.attach(name).kubectl(*arguments), nl=False)


@main.command(context_settings={"ignore_unknown_options": True})
@_NAME
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def ctr(name: str, arguments: Sequence[str]) -> None:
    """Run the lab's ctr in the CRI's namespace."""
    click.echo(_attach(name).ctr(*arguments), nl=False)


@main.command(context_settings={"ignore_unknown_options": True})
@_NAME
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def enter(name: str, command: Sequence[str]) -> None:
    """Run a command in the lab's mount and network namespaces, or virtual machine: `enter NAME -- ip netns`."""
    click.echo(_attach(name).enter(*command), nl=False)


@main.group()
def pod() -> None:
    """Make, list and remove pods in a running lab."""


@pod.command("run")
@_NAME
@click.argument("pod_name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--share-pid", is_flag=True, help="One PID namespace for the pod, with pause as PID 1.")
@click.option("--host-network", is_flag=True, help="Share the node's network namespace.")
def pod_run(name: str, pod_name: str, command: Sequence[str], *, share_pid: bool, host_network: bool) -> None:
    """Run a pod of one container, "app": `pod run NAME POD -- misbehave orphans 20`."""
    lab = runtime.attach(name)
    containers = (Container(command=tuple(command) or SLEEP),)
    running = lab.run(Pod(pod_name, containers=containers, share_pid=share_pid, host_network=host_network))
    click.echo(f"{running.sandbox_id}\tpause {running.pause_pid()}\tapp {running.pid()}")


@pod.command("list")
@_NAME
def pod_list(name: str) -> None:
    """List the lab's sandboxes: id, state, Kubernetes namespace and name."""
    for sandbox in _attach(name).client.sandboxes():
        state = "NotReady" if sandbox.state else "Ready"
        click.echo(f"{sandbox.id}\t{state}\t{sandbox.metadata.namespace}/{sandbox.metadata.name}")


@pod.command("remove")
@_NAME
@click.argument("sandbox_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every pod of the lab.")
def pod_remove(name: str, sandbox_ids: Sequence[str], *, everything: bool) -> None:
    """Remove pods by their sandbox ids."""
    lab = runtime.attach(name)
    if everything:
        lab.remove_all_pods()
    for sandbox_id in sandbox_ids:
        lab.client.remove_sandbox(sandbox_id)


def _attach(name: str) -> runtime.RuntimeLab:
    record = read_record(Places(name))
    if record and record.shape == vm_nodes.SHAPE:
        return vm_nodes.attach(name).runtime
    return runtime.attach(name)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
