"""Faults that a kubelet which works would undo within seconds: they are there while the node has none."""

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.soak.kind import Kind, When
from e2e.soak.scene import Scene
from e2e.support.nested_processes import process_in
from lab import faults, strays
from lab.network_faults import leaked_address
from lab.pods import Pod
from lab.processes import find_process
from pausewatch.model.membership import SETTLING_SECONDS

HOUR_SECONDS = 3600


def kinds() -> tuple[Kind, ...]:
    """Return them."""
    return (
        Kind(
            name="killed-pause",
            check="pause-gone",
            reason="PauseGone",
            severity="Critical",
            make=_killed_pause,
            when=When.UNATTENDED,
            pods=1,
            also=("ContainerProcessGone",),  # for as long as the runtime has not heard that healing killed it
            later_seconds=1,  # the grace period of its pod
        ),
        Kind(
            name="hollow-container",
            check="container-process-gone",
            reason="ContainerProcessGone",
            severity="Critical",
            make=_hollow_container,
            when=When.UNATTENDED,
            pods=1,
            bears_restart=False,  # the new runtime asks the shim, which does not answer
        ),
        Kind(
            name="orphan",
            check="orphaned-sandbox",
            reason="OrphanedSandbox",
            severity="Critical",
            make=_orphan,
            when=When.UNATTENDED,
        ),
        Kind(
            name="second-sandbox",
            check="duplicate-sandbox",
            reason="DuplicateSandbox",
            severity="Warning",
            make=_second_sandbox,
            when=When.UNATTENDED,
            also=("OrphanedSandbox",),  # the API server does not know its pod
        ),
        Kind(
            name="unlisted-pause",
            check="unlisted-pause",
            reason="UnlistedPause",
            severity="Warning",
            make=_unlisted_pause,
            when=When.UNATTENDED,
            later_seconds=SETTLING_SECONDS,
            about_node=True,
        ),
        Kind(
            name="orphaned-shim",
            check="orphaned-shim",
            reason="OrphanedShim",
            severity="Warning",
            make=_orphaned_shim,
            when=When.UNATTENDED,
            later_seconds=SETTLING_SECONDS,
            about_node=True,
            bears_restart=False,  # the new runtime clears away what has no process
        ),
        Kind(
            name="unmanaged-process",
            check="unmanaged-process",
            reason="UnmanagedProcess",
            severity="Warning",
            make=_unmanaged_process,
            when=When.UNATTENDED,
            later_seconds=SETTLING_SECONDS,
            about_node=True,
        ),
        Kind(
            name="leaked-address",
            check="leaked-pod-address",
            reason="LeakedPodAddress",
            severity="Warning",
            make=_leaked_address,
            when=When.UNATTENDED,
            about_node=True,
            ripe=True,
        ),
    )


@contextmanager
def _killed_pause(scene: Scene) -> Iterator[None]:
    """The pause of a pod was killed, and its container runs on."""
    (running,) = scene.pods
    faults.kill_pause(scene.node.seen_from_machine(running))
    try:
        yield
    finally:
        running.client.stop_sandbox(running.sandbox_id)


@contextmanager
def _hollow_container(scene: Scene) -> Iterator[None]:
    """A container's process is dead, and its shim, which is stopped, does not tell the runtime."""
    seen = scene.node.seen_from_machine(scene.pods[0])
    app = seen.pid()
    with faults.stopped_shim(seen):
        faults.kill_unreaped(app)
        yield
    scene.wait("the shim to reap it", lambda: find_process(app) is None)


@contextmanager
def _orphan(scene: Scene) -> Iterator[None]:
    """The runtime runs a pod that the API server does not know."""
    with scene.beside_the_kubelet(Pod(scene.name)):
        yield


@contextmanager
def _second_sandbox(scene: Scene) -> Iterator[None]:
    """A pod has two sandboxes that are ready."""
    with scene.beside_the_kubelet(Pod(scene.name)) as running:
        second = faults.sandbox_once_more(scene.node.runtime, running)
        try:
            yield
        finally:
            scene.node.runtime.remove(second)


@contextmanager
def _unlisted_pause(scene: Scene) -> Iterator[None]:
    """A pause runs that the CRI does not list."""
    identifier = faults.unlisted_pause(scene.node.runtime)
    try:
        yield
    finally:
        faults.remove_unlisted_pause(scene.node.runtime, identifier)


@contextmanager
def _orphaned_shim(scene: Scene) -> Iterator[None]:
    """A shim lives on without a process."""
    identifier, _ = strays.shim_without_process(scene.node.runtime)
    try:
        yield
    finally:
        faults.remove_unlisted_pause(scene.node.runtime, identifier)


@contextmanager
def _unmanaged_process(scene: Scene) -> Iterator[None]:
    """A process lives in the cgroup of a container that nobody lists."""
    with process_in(scene.node, strays.unlisted_container_cgroup(scene.node.runtime)):
        yield


@contextmanager
def _leaked_address(scene: Scene) -> Iterator[None]:
    """An address is reserved for a sandbox that is gone."""
    file = leaked_address(scene.node.runtime, age_seconds=HOUR_SECONDS)
    try:
        yield
    finally:
        file.unlink()
