"""The sandboxes of a node in one screen."""

from pausewatch.model.sandbox import ContainerState, SandboxState
from pausewatch.model.snapshot import Snapshot
from pausewatch.sinks.terminal_inspect import inspect
from support.builders import (
    HOST_LINKS,
    SHARED_SANDBOX_ID,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_SIDE_ID,
    WEB_SIDE_PID,
    a_node,
    a_snapshot,
)
from support.changes import (
    with_container,
    with_first_process,
    with_network,
    with_sandbox,
    with_zombies,
    without_process,
)
from support.printed import printed


def text_of(snapshot: Snapshot, sandbox_id: str = WEB_SANDBOX_ID, width: int = 80) -> str:
    """Return one sandbox as a person sees it."""
    node = a_node(snapshot)
    return printed(inspect(node, [node.sandboxes[sandbox_id]]), width=width, terminal=True)


def test_a_broken_pod_at_80_columns() -> None:
    """One wrong namespace, zombies, and everything that is right."""
    snapshot = with_first_process(
        with_zombies(a_snapshot(), 1576, WEB_SIDE_PID), WEB_APP_ID, network=HOST_LINKS.network
    )

    assert text_of(snapshot) == (
        """\
team-a/web-x  READY  sandbox 49b6b3a0c1d24
  addresses  10.200.0.3
  runtime    io.containerd.runc.v2
  created    2026-11-11T09:52:24Z
  pause      pid 2301 pause, image localhost/pause:3.10
  orphans    reaped by PID 1 of each container
  holds      net:[4026532301] ipc:[4026532302] uts:[4026532303] pid:[4026532304]
  container app  RUNNING  pid 2311 app  id 3f2a91c04d7e5
    network  WRONG: expected net:[4026532301] of the sandbox, is
             net:[4026531840] of the node
    ipc      ipc:[4026532302]   shared with sandbox
    uts      uts:[4026532303]   shared with sandbox
    pid      pid:[4026532311]   own; PID 1 is 2311 app
    user     user:[4026531837]  host
  container side  RUNNING  pid 2321 side  id 5c1d82e7f0a94
    network  net:[4026532301]   shared with sandbox
    ipc      ipc:[4026532302]   shared with sandbox
    uts      uts:[4026532303]   shared with sandbox
    pid      pid:[4026532321]   own; PID 1 is 2321 side
    user     user:[4026531837]  host
    zombies  1,576, children of pid 2321 side (PID 1 of the container)
"""
    )


def test_a_broken_network() -> None:
    """What the runtime reports, and what is there instead."""
    text = text_of(with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=(), links_up=(), has_loopback=False))

    assert "  addresses  10.200.0.3\n" in text
    assert (
        "  network    WRONG: 10.200.0.3 is not inside; no interface is up; no loopback;\n"
        "             there is no address\n"
    ) in text


def test_a_shared_pid_namespace() -> None:
    """Who is PID 1 is said where it matters."""
    text = text_of(a_snapshot(), SHARED_SANDBOX_ID)

    assert "\n  orphans    reaped by the pause, PID 1 of the shared PID namespace\n" in text
    assert "\n    pid      pid:[4026532404]   shared with sandbox; PID 1 is 2401, the pause\n" in text


def test_a_dead_pod() -> None:
    """A pod that is not ready has no pause and no running containers."""
    snapshot = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, state=SandboxState.NOTREADY, pause_pid=0, addresses=())
    for container_id in (WEB_APP_ID, WEB_SIDE_ID):
        snapshot = with_container(snapshot, container_id, state=ContainerState.EXITED, pid=0)
    for pid in (WEB_PAUSE_PID, WEB_APP_PID, WEB_SIDE_PID):
        snapshot = without_process(snapshot, pid)

    assert text_of(snapshot) == (
        """\
team-a/web-x  NOTREADY  sandbox 49b6b3a0c1d24
  runtime  io.containerd.runc.v2
  created  2026-11-11T09:52:24Z
  pause    none: the runtime reports none
  orphans  reaped by PID 1 of each container
  container app  EXITED  id 3f2a91c04d7e5
    not judged  not running
  container side  EXITED  id 5c1d82e7f0a94
    not judged  not running
"""
    )


def test_what_is_not_judged_has_its_reason() -> None:
    """In the place of the verdict."""
    text = text_of(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, ipc_mode=None), width=120)

    assert (
        "    ipc      ipc:[4026532302]   not judged: the runtime tells no sharing mode of the ipc namespace\n" in text
    )


def test_sandboxes_are_set_apart() -> None:
    """By an empty line."""
    node = a_node()

    assert "\n\nteam-b/shared-y  READY" in printed(inspect(node, tuple(node.sandboxes.values())))


def test_a_node_without_sandboxes() -> None:
    """Says so: an empty screen would look like a failure."""
    assert printed(inspect(a_node(), [])) == "no sandboxes\n"


def test_hostile_names_are_text() -> None:
    """A pod may be called what the runtime accepts."""
    snapshot = with_container(a_snapshot(), WEB_APP_ID, name="[red]x[/red]")

    assert "\n  container [red]x[/red]  RUNNING" in text_of(snapshot)
