"""Answers recorded from CRI-O and gVisor, judged.

The answers of the runtimes are real (tests/fixtures/recordings). SYNTHETIC: what /proc and the pinned files would show
is made up here, as no such node is at hand: each process is put where its recorded specification says, and then moved.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import pytest

from pausewatch.checks._check import all_checks
from pausewatch.evaluate import evaluate
from pausewatch.model.history import History
from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks
from pausewatch.model.membership import Membership
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.process import FirstProcess, Identity
from pausewatch.model.report import Outcome, Report
from pausewatch.model.sandbox import Container, ContainerDetails, NamespaceMode, Sandbox, SandboxDetails
from pausewatch.model.settings import Settings
from pausewatch.model.sharing import Expected, Sharing
from pausewatch.model.snapshot import PinnedNamespace, Snapshot
from pausewatch.model.view import NodeView
from pausewatch.sources.cri.translate_container import translate_container
from pausewatch.sources.cri.translate_sandbox import translate_sandbox
from sources.cri.recorded import recorded_container, recorded_sandbox
from support.builders import a_snapshot, present
from support.changes import with_first_process
from support.parts import HOST_LINKS, a_pod, a_pod_network, a_process

CRI_O_PODS = ("cri-o-1.37/web", "cri-o-1.37/hostnet", "cri-o-1.37/hostpid", "cri-o-1.37/sharedpid")
COMPARING = ("loopback-down", "namespace-not-shared", "pod-ip-missing")
"""Checks that compare what processes on the node show with what the runtime tells."""

SANDBOX, HOST, NOBODY = Expected.SANDBOX, Expected.HOST, Expected.NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPod:
    """A sandbox and its container as the runtime told them."""

    sandbox: Sandbox
    container: Container

    @classmethod
    def load(cls, name: str) -> Self:
        """Translate a recording."""
        sandbox = translate_sandbox(*recorded_sandbox(name))
        container = translate_container(*recorded_container(name))
        assert isinstance(container.details, ContainerDetails)
        # The recordings hold no capabilities: these are ordinary containers.
        details = replace(container.details, may_administer=False)
        return cls(sandbox=sandbox, container=replace(container, sandbox_id=sandbox.id, details=details))

    @property
    def told(self) -> SandboxDetails:
        """What the status of the sandbox told."""
        assert isinstance(self.sandbox.details, SandboxDetails)
        return self.sandbox.details

    @property
    def told_of_container(self) -> ContainerDetails:
        """What the status of the container told."""
        assert isinstance(self.container.details, ContainerDetails)
        return self.container.details


def a_node_of(*names: str) -> Snapshot:
    """Return a node with these recorded pods, every process where its specification says."""
    pods = [RecordedPod.load(name) for name in names]
    pins = {path: inode for pod in pods for path, inode in synthetic_pins(pod).items()}
    firsts = [first for pod in pods for first in synthetic_processes(pod, pins)]
    return a_snapshot(
        sandboxes=tuple(pod.sandbox for pod in pods),
        containers=tuple(pod.container for pod in pods),
        first_processes=tuple(firsts),
        pinned_namespaces=tuple(PinnedNamespace(path=path, inode=inode) for path, inode in pins.items()),
        processes=tuple(a_process(pid) for pid in sorted({first.identity.pid for first in firsts})),
        placements=(),
        pods=tuple(a_pod(namespace=pod.sandbox.namespace, name=pod.sandbox.name, uid=pod.sandbox.uid) for pod in pods),
        memberships=tuple(
            Membership(identity=first.identity, cgroup_path=f"/{first.owner_id}", container_id=first.owner_id)
            for first in firsts
        ),
        monitors=(),
        pause_usages=(),
        pod_networks=tuple(network for pod in pods for network in synthetic_networks(pod, firsts)),
    )


def synthetic_networks(pod: RecordedPod, firsts: list[FirstProcess]) -> Iterator[PodNetwork]:
    """Look into a pod with a network of its own through its container: every address that was told is there."""
    if pod.told.network_mode is NamespaceMode.POD:
        (first,) = [one for one in firsts if one.owner_id == pod.container.id]
        yield a_pod_network(
            sandbox_id=pod.sandbox.id,
            process=first.identity,
            process_owner_id=first.owner_id,
            addresses=pod.told.addresses,
        )


def synthetic_pins(pod: RecordedPod) -> Mapping[str, int]:
    """Number the namespaces that files of the sandbox pin; CRI-O pins the node's own network with hostNetwork."""
    paths = {entry.kind: entry.path for entry in pod.told.spec_namespaces or () if entry.path}
    pins = {path: zlib.crc32(path.encode()) for path in paths.values()}
    if pod.told.network_mode is NamespaceMode.NODE:
        pins[paths[NamespaceKind.NETWORK]] = HOST_LINKS.network
    return pins


def synthetic_processes(pod: RecordedPod, pins: Mapping[str, int]) -> Iterator[FirstProcess]:
    """Put the pause, if there is one, and the container's process where the specification says."""
    entries = (entry for entry in pod.told.spec_namespaces or () if entry.path)
    held = replace(HOST_LINKS, **{entry.kind.value: pins[entry.path] for entry in entries})
    if pod.told.pause_pid:
        yield first_process(pod.sandbox.id, pod.told.pause_pid, replace(held, pid=pod.told.pause_pid))
    pid = pod.told_of_container.pid
    pid_namespace = {
        NamespaceMode.NODE: HOST_LINKS.pid,
        NamespaceMode.POD: pod.told.pause_pid,
        NamespaceMode.CONTAINER: pid,
    }
    mode = pod.told_of_container.pid_mode
    assert mode is not None
    yield first_process(pod.container.id, pid, replace(held, pid=pid_namespace[mode]))


def first_process(owner_id: str, pid: int, links: NamespaceLinks) -> FirstProcess:
    """Return the process of a sandbox or container."""
    return FirstProcess(owner_id=owner_id, identity=Identity(pid=pid, start_ticks=pid), links=links, in_own_cgroup=True)


def judged(*snapshots: Snapshot) -> Report:
    """Return the report of the last look; at the last Snapshot there are as many looks as any check wants to see."""
    most = max(check.persistence.looks for check in all_checks())
    history = History()
    for snapshot in (*snapshots, *(snapshots[-1],) * most):
        report, history = evaluate(snapshot, history, Settings(), all_checks())
    return report


@pytest.mark.parametrize(
    ("pod", "network", "uts", "pid"),
    [
        ("cri-o-1.37/web", SANDBOX, SANDBOX, NOBODY),
        ("cri-o-1.37/hostnet", HOST, SANDBOX, NOBODY),
        ("cri-o-1.37/hostpid", SANDBOX, SANDBOX, HOST),
        ("cri-o-1.37/sharedpid", SANDBOX, SANDBOX, SANDBOX),
    ],
)
def test_what_cri_o_is_expected_to_share(pod: str, network: Expected, uts: Expected, pid: Expected) -> None:
    """From its pins; hostNetwork keeps a UTS namespace of the pod; all are as expected."""
    snapshot = a_node_of(pod)
    node = NodeView(snapshot, History())

    (container,) = node.running_containers
    judgements = {one.kind: one for one in Sharing(node).of(container)}

    expected = {kind: one.expectation.whose for kind, one in judgements.items() if one.expectation}
    assert expected == {
        NamespaceKind.NETWORK: network,
        NamespaceKind.IPC: SANDBOX,
        NamespaceKind.UTS: uts,
        NamespaceKind.PID: pid,
        NamespaceKind.USER: HOST,
    }
    assert all(one.as_expected for one in judgements.values())


def test_healthy_node_of_cri_o_passes() -> None:
    """Four kinds of pods, three of them without a pause process: every check judges, and nothing is found."""
    report = judged(a_node_of(*CRI_O_PODS))

    assert {one.check: one for one in report.results if one.outcome is not Outcome.PASS} == {}
    assert report.findings == ()
    assert report.coverage.not_comparable_sandboxes == 0
    assert report.summary.pause_processes == 1


def test_wrong_namespace_is_found_on_cri_o() -> None:
    """Against the pin, as there is no pause to compare with."""
    web = RecordedPod.load("cri-o-1.37/web")
    broken = with_first_process(a_node_of(*CRI_O_PODS), web.container.id, ipc=HOST_LINKS.ipc)

    (finding,) = judged(broken).findings

    assert (finding.reason, finding.subject.pod) == ("HostNamespaceJoined", "web")
    assert finding.evidence[1].value == f"ipc:[{HOST_LINKS.ipc}], of the node"


def test_gvisor_is_not_comparable() -> None:
    """Its process on the node is the user-space kernel's: counted, and never called a mismatch."""
    report = judged(a_node_of("gvisor/web"))

    skipped = {one.check: one.reason for one in report.results if one.outcome is not Outcome.PASS}
    assert skipped == dict.fromkeys(COMPARING, "NotComparable")
    assert report.findings == ()
    assert report.coverage.not_comparable_sandboxes == 1


def test_gvisor_hides_no_fault_of_others() -> None:
    """The same faults in both: found on CRI-O, not comparable on gVisor."""
    names = ("gvisor/web", "cri-o-1.37/web")
    snapshot = a_node_of(*names)
    for name in names:
        snapshot = with_first_process(snapshot, RecordedPod.load(name).container.id, network=HOST_LINKS.network)
    networks = (replace(one, addresses=(), has_loopback=False) for one in present(snapshot.pod_networks))

    report = judged(replace(snapshot, pod_networks=tuple(networks)))

    sandboxes = {finding.check: finding.subject.sandbox_id for finding in report.findings}
    assert sandboxes == dict.fromkeys(COMPARING, RecordedPod.load("cri-o-1.37/web").sandbox.id)
    assert report.coverage.not_comparable_sandboxes == 1


def test_orphans_are_found_on_gvisor_too() -> None:
    """That takes no comparison. The recorded pods of CRI-O were made without a kubelet, and are nobody's orphans."""
    snapshot = replace(a_node_of("gvisor/web", *CRI_O_PODS), pods=())
    hour = timedelta(hours=1)
    later = replace(snapshot, taken_at=snapshot.taken_at + hour, uptime_seconds=snapshot.uptime_seconds + 3600)

    (finding,) = judged(snapshot, later).findings

    assert (finding.check, finding.subject.sandbox_id) == (
        "orphaned-sandbox",
        RecordedPod.load("gvisor/web").sandbox.id,
    )
