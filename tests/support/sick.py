"""A node with many faults at once, for what holds whatever is found."""

from dataclasses import replace
from datetime import timedelta

from pausewatch.model.address_pool import AddressRange, ReservedAddress
from pausewatch.model.network_pin import NetworkPin
from pausewatch.model.pid_limit import PidLimit
from pausewatch.model.pod import WaitingPod
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.snapshot import Snapshot
from support.builders import a_snapshot, adding, present, with_pod
from support.changes import with_first_process, with_zombies
from support.parts import (
    HOST_LINKS,
    KUBELET_PID,
    SHARED_SANDBOX_ID,
    SHARED_WORKER_ID,
    TAKEN_AT,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_SIDE_ID,
    a_membership,
    a_monitor,
    a_pod,
    a_process,
    a_sandbox,
    a_sandbox_image,
    an_address_pool,
    hex_id,
    sandbox_details,
)

LONG_AGO = TAKEN_AT.timestamp() - 7200
JUST_FAILED_AT = TAKEN_AT + timedelta(hours=1)
"""Seen by looks that are up to an hour apart."""

ORPHAN_ID, TWIN_ID, ENDING_ID, LOST_ID = (hex_id(name) for name in ("orphan", "twin", "ending", "lost"))
LOST_SHIM_PID, LOST_PID, IDLE_SHIM_PID, LEFT_PID = 7000, 7001, 7100, 7200
LONG_SECONDS = 7200.0
WAITING_UID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def a_sick_snapshot() -> Snapshot:
    """Return a node on which most checks find something, some of them about the same pods."""
    moved = with_first_process(a_snapshot(), WEB_SIDE_ID, network=HOST_LINKS.network)
    torn = with_first_process(moved, SHARED_WORKER_ID, ipc=4_026_539_999)
    forgotten = with_zombies(torn, 12, WEB_APP_PID)
    of_the_node = with_zombies(forgotten, 15, KUBELET_PID, first_pid=6000)
    return _with_sick_network(_with_sick_node(_with_sick_pods(of_the_node)))


def _with_sick_pods(snapshot: Snapshot) -> Snapshot:
    """Add an orphan, a second sandbox of one pod, a pod that does not end, and one that gets no sandbox."""
    orphan = a_sandbox(id=ORPHAN_ID, name="orphan", uid="gone", details=sandbox_details(addresses=("10.200.0.5",)))
    with_orphan = with_pod(snapshot, orphan, {"app": hex_id("orphan/app")}, pause_pid=3001, shared_pid=False)
    twin = a_sandbox(id=TWIN_ID, attempt=1, details=sandbox_details(addresses=("10.200.0.6",)))
    with_twin = with_pod(with_orphan, twin, {}, pause_pid=3101, shared_pid=False)
    left = replace(a_sandbox(id=hex_id("left"), name="left", uid="long-gone"), state=SandboxState.NOTREADY)
    ending = a_sandbox(id=ENDING_ID, name="ending", uid="ends", details=sandbox_details(addresses=("10.200.0.7",)))
    with_ending = with_pod(with_twin, ending, {"app": hex_id("ending/app")}, pause_pid=3201, shared_pid=False)
    due_at = TAKEN_AT - timedelta(hours=1)
    due = a_pod(name="ending", uid="ends", deletion_grace_seconds=30.0, deletion_due_at=due_at)
    waiting = WaitingPod(uid=WAITING_UID, error="no network", last_failed_at=JUST_FAILED_AT)
    return adding(
        with_ending,
        sandboxes=(left,),
        pods=(due, a_pod(name="waits", uid=WAITING_UID)),
        waiting_pods=(waiting,),
    )


def _with_sick_node(snapshot: Snapshot) -> Snapshot:
    """Let a shim and a process of an unlisted sandbox live on, a pause grow, and pids and the sandbox image run out."""
    swollen, *others = present(snapshot.pause_usages)
    changed = replace(
        snapshot,
        pause_usages=(replace(swollen, resident_bytes=64 * 2**20), *others),
        pid_limits=(PidLimit(directory="/sys/fs/cgroup/pod", owner_ids=(WEB_APP_ID,), tasks=19, most_tasks=20),),
        sandbox_image=a_sandbox_image(id="", pinned=None),
    )
    return adding(
        changed,
        monitors=(
            a_monitor(LOST_SHIM_PID, LOST_ID, unlisted_seconds=LONG_SECONDS),
            a_monitor(IDLE_SHIM_PID, hex_id("idle"), unlisted_seconds=LONG_SECONDS),
        ),
        memberships=(
            a_membership(LOST_PID, LOST_ID, stray_seconds=LONG_SECONDS),
            a_membership(LEFT_PID, hex_id("left"), stray_seconds=LONG_SECONDS),
        ),
        processes=(
            a_process(LOST_SHIM_PID, name="containerd-shim"),
            a_process(LOST_PID, parent_pid=LOST_SHIM_PID, name="lost"),
            a_process(IDLE_SHIM_PID, name="containerd-shim"),
            a_process(LEFT_PID, name="left"),
        ),
    )


def _with_sick_network(snapshot: Snapshot) -> Snapshot:
    """Give one pod the address of another and no loopback, leak a namespace, and use up the addresses."""
    first = present(snapshot.pod_networks)[0]
    networks = tuple(
        replace(one, addresses=first.addresses, has_loopback=False) if one.sandbox_id == SHARED_SANDBOX_ID else one
        for one in present(snapshot.pod_networks)
    )
    leaked = NetworkPin(
        path="/run/netns/cni-0f8fad5b-d9cb-469f-a165-70867728950e",
        inode=4_026_538_888,
        made_at_seconds=LONG_AGO,
        processes_inside=0,
    )
    reserved = ReservedAddress(address="10.200.0.99", owner_id=LOST_ID, interface="eth0", reserved_at_seconds=LONG_AGO)
    full = AddressRange(subnets=("10.200.0.0/24",), addresses=253, reserved=250)
    pool = an_address_pool(ranges=(full,), unlisted=(reserved,))
    return replace(snapshot, pod_networks=networks, network_pins=(leaked,), address_pools=(pool,))
