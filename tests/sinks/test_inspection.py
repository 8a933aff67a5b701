"""What people find out by hand about one sandbox."""

from dataclasses import replace

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import ContainerState, NamespaceMode, SandboxState
from pausewatch.model.snapshot import PinnedNamespace, Snapshot
from pausewatch.model.subject import Subject
from pausewatch.sinks.inspection import ContainerFacts, SandboxFacts, is_about
from support.builders import a_node, a_snapshot
from support.changes import (
    with_container,
    with_first_process,
    with_network,
    with_sandbox,
    with_zombies,
    without_process,
)
from support.inspected import inspected_sandboxes
from support.parts import (
    HOST_LINKS,
    SHARED_PAUSE_PID,
    SHARED_SANDBOX_ID,
    SHARED_WORKER_ID,
    SHARED_WORKER_PID,
    UPTIME_SECONDS,
    WEB_APP_ID,
    WEB_APP_PID,
    WEB_PAUSE_PID,
    WEB_SANDBOX_ID,
    WEB_UID,
    a_subject,
)

DENIED = Unavailable(reason="PermissionDenied", detail="the links of pid 2311 may not be read")


def inspected(snapshot: Snapshot, sandbox_id: str = WEB_SANDBOX_ID) -> SandboxFacts:
    """Return the facts about one sandbox."""
    return inspected_sandboxes(snapshot, sandbox_id)[0]


def container_of(facts: SandboxFacts, container_id: str) -> ContainerFacts:
    """Return the facts about one container."""
    return next(one for one in facts.containers if one.container.id == container_id)


def test_an_ordinary_pod() -> None:
    """The pause holds four namespaces; each container is PID 1 of its own."""
    facts = inspected(a_snapshot())
    app = container_of(facts, WEB_APP_ID)

    assert facts.pause is not None
    assert facts.pause.pid == WEB_PAUSE_PID
    assert facts.pause.age_seconds == UPTIME_SECONDS - WEB_PAUSE_PID
    assert facts.pause_usage is not None
    assert facts.pause_usage.resident_bytes == 137 * 4096
    assert (facts.reaper, facts.pause_role) == ("PID 1 of each container", "")
    assert facts.held == (("network", 4026532301), ("ipc", 4026532302), ("uts", 4026532303), ("pid", 4026532304))
    assert (app.role, app.pid_one) == ("PID 1, has to reap", "2311 app")
    assert (facts.findings, facts.suspicions, facts.is_sick) == ((), (), False)


def test_what_is_wrong_stands_with_its_sandbox() -> None:
    """A finding of one pod is no other's."""
    snapshot = with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network)
    sick, healthy = inspected_sandboxes(snapshot, WEB_SANDBOX_ID, SHARED_SANDBOX_ID)

    assert [one.reason for one in sick.findings] == ["HostNamespaceJoined"]
    assert (sick.is_sick, healthy.is_sick) == (True, False)


def test_what_has_not_lasted_is_a_suspicion() -> None:
    """Seen in two looks, and not for as long as its check asks for."""
    snapshot = with_sandbox(a_snapshot(), SHARED_SANDBOX_ID, name="web-x", namespace="team-a", uid=WEB_UID)
    facts = inspected(snapshot, SHARED_SANDBOX_ID)

    assert facts.findings == ()
    assert [one.finding.reason for one in facts.suspicions] == ["DuplicateSandbox"]
    assert facts.is_sick


def test_finding_without_a_sandbox_is_found_by_its_pod() -> None:
    """Nothing is about a sandbox whose pod has no uid only because neither has one."""
    web = a_node().sandboxes[WEB_SANDBOX_ID]

    assert is_about(a_subject(sandbox_id="", container=""), web)
    assert not is_about(a_subject(sandbox_id=SHARED_SANDBOX_ID), web)
    assert not is_about(Subject(), replace(web, uid=""))


def test_links_that_may_not_be_read() -> None:
    """The container is there, its process is known, nothing is said about its namespaces."""
    facts = container_of(inspected(with_first_process(a_snapshot(), WEB_APP_ID, links=DENIED)), WEB_APP_ID)

    assert facts.first is not None
    assert facts.not_judged == "the links of pid 2311 may not be read"


def test_a_first_process_that_is_gone() -> None:
    """The runtime still reports it."""
    facts = container_of(inspected(without_process(a_snapshot(), WEB_APP_PID)), WEB_APP_ID)

    assert facts.first is None
    assert facts.not_judged == "pid 2311, which the runtime reports, does not exist"


def test_a_reused_pid_is_not_shown_as_the_containers() -> None:
    """A stranger has the number now."""
    facts = container_of(inspected(with_first_process(a_snapshot(), WEB_APP_ID, in_own_cgroup=False)), WEB_APP_ID)

    assert facts.first is None
    assert facts.not_judged == "pid 2311, which the runtime reports, is another process: its cgroup is not this one's"


def test_unreadable_processes_are_no_reason_to_call_one_gone() -> None:
    """What could not be read is told as such."""
    facts = container_of(inspected(a_snapshot(first_processes=DENIED)), WEB_APP_ID)

    assert facts.not_judged == "the links of pid 2311 may not be read"


def test_a_container_without_status() -> None:
    """The runtime knows it, but would not tell more."""
    snapshot = with_container(without_process(a_snapshot(), WEB_APP_PID), WEB_APP_ID, details=DENIED)

    assert container_of(inspected(snapshot), WEB_APP_ID).not_judged == "the links of pid 2311 may not be read"


def test_a_stopped_container_is_shown_without_namespaces() -> None:
    """It has no process."""
    stopped = with_container(without_process(a_snapshot(), WEB_APP_PID), WEB_APP_ID, state=ContainerState.EXITED, pid=0)

    assert container_of(inspected(stopped), WEB_APP_ID).not_judged == "not running"


def test_a_virtual_machine_is_not_comparable() -> None:
    """Nor is anything said about who reaps inside."""
    facts = inspected(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, runtime_handler="kata"))

    assert facts.not_comparable == "runtime handler kata"
    assert (facts.reaper, facts.pause_role) == ("", "")
    assert container_of(facts, WEB_APP_ID).not_judged == "runtime handler kata"


def test_a_sandbox_without_pause_holds_its_namespaces_by_files() -> None:
    """The usual case on CRI-O."""
    snapshot = without_process(a_snapshot(), WEB_PAUSE_PID)
    snapshot = with_sandbox(snapshot, WEB_SANDBOX_ID, pause_pid=0)

    assert inspected(snapshot).no_pause == "the runtime reports none"

    path = "/var/run/netns/cni-web-x"
    pinned = with_sandbox(
        a_snapshot(pinned_namespaces=(PinnedNamespace(path=path, inode=4_026_532_301),)), WEB_SANDBOX_ID, pause_pid=0
    )
    facts = inspected(without_process(pinned, WEB_PAUSE_PID))

    assert facts.no_pause == "the runtime holds the Linux namespaces by files"
    assert facts.held == (("network", 4026532301),)


def test_a_lost_pause_is_not_called_a_usual_case() -> None:
    """Containerd then reports no pause, as CRI-O always does, and the sandbox as not ready."""
    snapshot = without_process(a_snapshot(), WEB_PAUSE_PID)
    snapshot = with_sandbox(snapshot, WEB_SANDBOX_ID, pause_pid=0, state=SandboxState.NOTREADY)

    assert inspected(snapshot).no_pause == "it is gone, and containers run on without it"


def test_a_pause_that_is_gone() -> None:
    """The runtime still reports its pid."""
    facts = inspected(without_process(a_snapshot(), WEB_PAUSE_PID))

    assert facts.no_pause == "pid 2301, which the runtime reports, does not exist"


def test_a_sandbox_without_status() -> None:
    """Its containers are still shown."""
    facts = inspected(with_sandbox(without_process(a_snapshot(), WEB_PAUSE_PID), WEB_SANDBOX_ID, details=DENIED))

    assert facts.details is None
    assert facts.no_pause == "the links of pid 2311 may not be read"
    assert len(facts.containers) == 2


def test_zombies_of_a_container_with_their_parent() -> None:
    """How many, and who should have waited for them."""
    facts = container_of(inspected(with_zombies(a_snapshot(), 12, WEB_APP_PID)), WEB_APP_ID)

    assert facts.zombies is not None
    assert (facts.zombies.count, facts.zombies.parents) == (12, ("2311 app (PID 1 of the container)",))


def test_zombies_of_a_parent_that_is_gone() -> None:
    """Its number is all that is known."""
    snapshot = without_process(with_zombies(a_snapshot(), 2, WEB_APP_PID), WEB_APP_PID)
    facts = container_of(inspected(snapshot), WEB_APP_ID)

    assert facts.zombies is not None
    assert facts.zombies.parents == ("2311 (a process that could not be read)",)


def test_zombies_in_a_shared_pid_namespace() -> None:
    """Those of no single container are the sandbox's."""
    snapshot = with_zombies(a_snapshot(), 3, SHARED_PAUSE_PID)
    facts = inspected(with_zombies(snapshot, 2, SHARED_WORKER_PID, first_pid=6000), SHARED_SANDBOX_ID)

    assert facts.zombies is not None
    assert (facts.zombies.count, facts.zombies.parents) == (3, ("2401 pause (the pause of the sandbox)",))
    worker = container_of(facts, SHARED_WORKER_ID).zombies
    assert worker is not None
    assert worker.count == 2


def test_network_as_the_runtime_reports_it() -> None:
    """There is nothing to say but the addresses; one more inside is no fault."""
    facts = inspected(with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=("10.200.0.3", "172.17.0.1")))

    assert facts.addresses_inside == ("10.200.0.3", "172.17.0.1")
    assert (facts.links_up, facts.network_faults, facts.on_node_network) == (("eth0",), (), False)


def test_network_that_differs_from_what_the_runtime_reports() -> None:
    """Each difference is named."""
    broken = with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=("10.9.9.9",), links_up=(), has_loopback=False)

    facts = inspected(broken)

    assert facts.addresses_inside == ("10.9.9.9",)
    assert facts.network_faults == ("10.200.0.3 is not inside", "no interface is up", "no loopback")


def test_network_that_was_not_read() -> None:
    """Nothing is said of it: a sandbox in the node's network, or one without a process inside."""
    for snapshot in (
        replace(a_snapshot(), pod_networks=()),
        with_sandbox(a_snapshot(), WEB_SANDBOX_ID, network_mode=NamespaceMode.NODE),
    ):
        facts = inspected(snapshot)
        assert (facts.addresses_inside, facts.network_faults) == ((), ())
