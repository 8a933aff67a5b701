"""The sandboxes of a node as a tree."""

import pytest

from pausewatch.model.sandbox import ContainerState, NamespaceMode, SandboxState
from pausewatch.model.snapshot import Snapshot
from pausewatch.sinks.terminal_inspect import inspect
from support.builders import a_snapshot
from support.changes import (
    with_container,
    with_first_process,
    with_network,
    with_sandbox,
    with_zombies,
    without_process,
)
from support.commands import DELETE_WEB
from support.inspected import inspected_sandboxes, judged
from support.parts import (
    HOST_LINKS,
    SHARED_SANDBOX_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_SIDE_PID,
    WEB_UID,
)
from support.printed import printed


def text_of(snapshot: Snapshot, *sandbox_ids: str, width: int = 80, wide: bool = False) -> str:
    """Return some sandboxes, all if none is named, as a person sees them."""
    page = inspect(judged(snapshot), inspected_sandboxes(snapshot, *sandbox_ids), wide=wide)
    return printed(page, width=width, terminal=True)


def a_torn_pod() -> Snapshot:
    """Return the node with one container in the node's network namespace, and zombies in the other."""
    return with_first_process(with_zombies(a_snapshot(), 1576, WEB_SIDE_PID), WEB_APP_ID, network=HOST_LINKS.network)


def test_a_healthy_node_at_80_columns() -> None:
    """Two lines for each process: who it is, and what it shares."""
    assert text_of(a_snapshot()) == (
        """\
team-a/web-x
  sandbox 49b6b3a0c1d24  READY  9 d  10.200.0.3, eth0 up
  ├─ pause  2301 pause  9 d  548 KiB  localhost/pause:3.10
  │    holds network, ipc, uts, pid
  ├─ app    2311 app  RUNNING  9 d  PID 1, has to reap
  │    network shared  ipc shared  uts shared  pid own     user host
  └─ side   2321 side  RUNNING  9 d  PID 1, has to reap
       network shared  ipc shared  uts shared  pid own     user host

team-b/shared-y
  sandbox 7e9a64d1b2c3f  READY  9 d  10.200.0.4, eth0 up
  ├─ pause   2401 pause  9 d  548 KiB  localhost/pause:3.10
  │    holds network, ipc, uts, pid; PID 1, reaps for all containers
  └─ worker  2411 worker  RUNNING  9 d  the pause reaps
       network shared  ipc shared  uts shared  pid shared  user host

node-7: 2 pods, 3 containers, 0 zombies; no findings
"""
    )


def test_a_broken_pod_at_80_columns() -> None:
    """What is wrong, what it does and what to type come first; the tree shows where."""
    assert text_of(a_torn_pod(), WEB_SANDBOX_ID) == (
        """\
team-a/web-x
  CRITICAL  HostNamespaceJoined  container app
    team-a/web-x/app runs in the node's network namespace instead of its
    sandbox's: traffic to the pod's address does not reach it
    next, on the node:
      readlink /proc/2311/ns/net /proc/2301/ns/net
  INFO  ZombieBuildup  container side
    team-a/web-x/side holds 1,000+ zombies (bound 10): pid 2321 (side), PID 1 of
    the container, does not wait for its dead children, and each keeps a pid
    until it does or ends; forks fail when the pids run out
    next, on the node:
      ps --ppid 2321 -o pid,stat,lstart,comm
  sandbox 49b6b3a0c1d24  READY  9 d  10.200.0.3, eth0 up
  ├─ pause  2301 pause  9 d  548 KiB  localhost/pause:3.10
  │    holds network, ipc, uts, pid
  ├─ app    2311 app  RUNNING  9 d  PID 1, has to reap
  │    network WRONG   ipc shared  uts shared  pid own     user host
  │    WRONG network: net:[4026531840] of the node, expected net:[4026532301] of
  │    the sandbox
  └─ side   2321 side  RUNNING  9 d  PID 1, has to reap
       network shared  ipc shared  uts shared  pid own     user host
       1,576 zombies, children of pid 2321 side (PID 1 of the container)

what it means, and what to do; -o wide shows every command:
  pausewatch explain HostNamespaceJoined
  pausewatch explain ZombieBuildup

node-7: 1 pod, 2 containers, 1,576 zombies; 1 with findings
"""
    )


def test_wide_has_whole_ids_and_every_number() -> None:
    """What a person compares with crictl and readlink by hand."""
    text = text_of(a_torn_pod(), WEB_SANDBOX_ID, width=200, wide=True)

    assert f"  sandbox {WEB_SANDBOX_ID}  READY  9 d  10.200.0.3, eth0 up\n" in text
    assert f"  │ pod uid {WEB_UID}, attempt 0, made 2026-11-11T09:52:24Z\n" in text
    assert "  │ runtime io.containerd.runc.v2\n" in text
    assert "  │    holds net:[4026532301], ipc:[4026532302], uts:[4026532303], pid:[4026532304]\n" in text
    assert "  │    WRONG network: net:[4026531840] of the node, expected net:[4026532301] of the sandbox\n" in text
    assert "  │    pid      pid:[4026532311]   own; PID 1 is 2311 app\n" in text
    assert "       user     user:[4026531837]  the node's\n" in text
    assert f"  │    container {WEB_APP_ID}, attempt 0\n  │    image localhost/app:1\n" in text
    assert f"      {DELETE_WEB}\n" in text


def test_colour_stands_never_alone() -> None:
    """The same words without it."""
    snapshot = a_torn_pod()
    page = inspect(judged(snapshot), inspected_sandboxes(snapshot))

    plain = printed(page, terminal=True)
    coloured = printed(page, terminal=True, colour=True)
    assert "\x1b[" in coloured
    assert "".join(part.partition("m")[2] for part in f"m{coloured}".split("\x1b[")) == plain


def test_this_command_is_not_advised() -> None:
    """Whoever reads the page has just typed it."""
    assert "pausewatch inspect team-a" not in text_of(a_torn_pod(), wide=True)


def test_a_broken_network() -> None:
    """What the runtime reports, and what is there instead."""
    snapshot = with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=(), links_up=(), has_loopback=False)
    text = text_of(snapshot, WEB_SANDBOX_ID)

    assert (
        "  sandbox 49b6b3a0c1d24  READY  9 d  10.200.0.3\n"
        "  │ WRONG network: 10.200.0.3 is not inside; no interface is up; no loopback;\n"
        "  │ inside there is no address\n"
    ) in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"network_mode": NamespaceMode.NODE, "addresses": ()}, "the node's network"),
        ({"runtime_handler": "kata"}, "10.200.0.3 (as the runtime reports it, not checked inside the pod)"),
        ({"addresses": ()}, ""),
    ],
)
def test_where_an_address_comes_from(changes: dict[str, object], told: str) -> None:
    """Nobody takes what was not looked at for seen."""
    text = text_of(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, **changes), WEB_SANDBOX_ID, width=200)

    assert f"  sandbox 49b6b3a0c1d24  READY  9 d  {told}".rstrip() in text.splitlines()


def test_one_more_address_inside_is_told() -> None:
    """A second network is no fault, and no secret."""
    snapshot = with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=("10.200.0.3", "172.17.0.1"))

    assert "READY  9 d  10.200.0.3, and 172.17.0.1, eth0 up\n" in text_of(snapshot, WEB_SANDBOX_ID)


def test_a_dead_pod() -> None:
    """A pod that is not ready has no pause and no running containers."""
    snapshot = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, state=SandboxState.NOTREADY, pause_pid=0, addresses=())
    for container_id in (WEB_APP_ID, WEB_SIDE_ID):
        snapshot = with_container(snapshot, container_id, state=ContainerState.EXITED, pid=0)
    for pid in (WEB_PAUSE_PID, WEB_APP_PID, WEB_SIDE_PID):
        snapshot = without_process(snapshot, pid)

    assert text_of(snapshot, WEB_SANDBOX_ID) == (
        """\
team-a/web-x
  sandbox 49b6b3a0c1d24  NOTREADY  9 d
  ├─ pause  none: the runtime reports none
  ├─ app    EXITED
  └─ side   EXITED

node-7: 1 pod, 2 containers, 0 zombies; no findings
"""
    )


def test_sandboxes_of_one_pod_stand_together() -> None:
    """What is not sure yet is said with the pod, once."""
    snapshot = with_sandbox(a_snapshot(), SHARED_SANDBOX_ID, name="web-x", namespace="team-a", uid=WEB_UID)
    text = text_of(snapshot)

    assert text.count("team-a/web-x\n") == 1
    assert text.count("\n  sandbox ") == 2
    assert text.count("  not sure yet  DuplicateSandbox: a finding after 120 s, 3 scans at least\n") == 1
    assert "node-7: 1 pod, 3 containers, 0 zombies; 1 with findings\n" in text


def test_what_is_not_judged_has_its_reason() -> None:
    """A question mark in the row, and why below it."""
    text = text_of(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, ipc_mode=None), WEB_SANDBOX_ID)

    assert "network shared  ipc ?       uts shared" in text
    assert "? not judged: the runtime tells no sharing mode of the ipc namespace\n" in text


def test_findings_elsewhere_are_not_forgotten() -> None:
    """Whoever looks at one pod learns that the node has more."""
    text = text_of(a_torn_pod(), SHARED_SANDBOX_ID, width=120)

    assert text.endswith(
        "\nnode-7: 1 pod, 1 container, 0 zombies; no findings; 2 findings elsewhere on this node: pausewatch scan\n"
    )


def test_a_long_name_moves_nothing_else() -> None:
    """Names may have 63 characters."""
    text = text_of(with_container(a_snapshot(), WEB_APP_ID, name="a" * 63), WEB_SANDBOX_ID, width=200)

    assert f"  ├─ {'a' * 63}  2311 app  RUNNING" in text
    assert "  └─ side   2321 side" in text


def test_a_node_without_sandboxes() -> None:
    """Says so: an empty screen would look like a failure."""
    page = inspect(judged(a_snapshot()), ())

    assert printed(page) == "node-7: 0 pods, 0 containers, 0 zombies; no findings\n"


def test_hostile_names_are_text() -> None:
    """A pod may be called what the runtime accepts."""
    snapshot = with_container(a_snapshot(), WEB_APP_ID, name="[red]x[/red]")

    assert "\n  ├─ [red]x[/red]  2311 app  RUNNING" in text_of(snapshot, WEB_SANDBOX_ID)


def test_sick_ones_among_many_are_easily_found() -> None:
    """The last line is what stays on the screen: it tells how to see nothing but them."""
    assert text_of(a_torn_pod(), width=120).endswith(
        "\nnode-7: 2 pods, 3 containers, 1,576 zombies; 1 with findings (pausewatch inspect --problem)\n"
    )
