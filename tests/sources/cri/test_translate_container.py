from dataclasses import replace

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import Container, ContainerDetails, ContainerState, NamespaceMode
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate_container import NOTHING_TO_TELL, translate_container, translate_exited_container
from sources.cri.recorded import recorded_container
from sources.cri.translated import IPC, NETWORK, PID, UTS, container_details, entry, running, sandbox_details


def test_containerd_container() -> None:
    """A container of containerd joins the namespaces of its pause by the pause's number."""
    container = translate_container(*recorded_container("containerd-2.4/web"))

    assert container == Container(
        id="a1c24b3c360c0bfd7e5eaef38feea5579dc21a650969922a7f7de267b4f10b35",
        sandbox_id="6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab",
        name="app",
        attempt=0,
        state=ContainerState.RUNNING,
        image="localhost/busybox:1",
        details=ContainerDetails(
            pid=31700,
            pid_mode=NamespaceMode.CONTAINER,
            target_id="",
            spec_namespaces=(
                entry(PID),
                entry(IPC, "/proc/31622/ns/ipc"),
                entry(UTS, "/proc/31622/ns/uts"),
                entry(NETWORK, "/proc/31622/ns/net"),
            ),
            grace_seconds=1,
            may_administer=None,
            may_change_network=None,
        ),
    )


def test_containerd_shared_pid_namespace() -> None:
    """ShareProcessNamespace is mode POD, which containerd's JSON leaves out as a zero value."""
    assert sandbox_details("containerd-2.4/sharedpid").pid_mode is NamespaceMode.POD
    assert container_details("containerd-2.4/sharedpid").pid_mode is NamespaceMode.POD


def test_cri_o_host_network() -> None:
    """With hostNetwork the container has no network entry, but still a UTS namespace of the pod."""
    sandbox = sandbox_details("cri-o-1.37/hostnet")
    container = container_details("cri-o-1.37/hostnet")

    assert sandbox.network_mode is NamespaceMode.NODE
    assert sandbox.addresses == ()
    assert container.spec_namespaces == (
        entry(PID),
        entry(IPC, "/var/run/ipcns/b214fadb-fd7a-45e6-baa7-d2e81dd7e7f1"),
        entry(UTS, "/var/run/utsns/b214fadb-fd7a-45e6-baa7-d2e81dd7e7f1"),
    )


@pytest.mark.parametrize(
    ("pod", "pid", "mode"),
    [
        ("web", 6779, NamespaceMode.CONTAINER),
        ("hostnet", 6900, NamespaceMode.CONTAINER),
        ("hostpid", 6981, NamespaceMode.NODE),
        ("sharedpid", 7213, NamespaceMode.POD),
    ],
)
def test_cri_o_container(pod: str, pid: int, mode: NamespaceMode) -> None:
    """CRI-O tells the PID mode of a container only by what it put into the specification."""
    details = container_details(f"cri-o-1.37/{pod}")

    assert (details.pid, details.pid_mode, details.target_id) == (pid, mode, "")


def test_cri_o_target() -> None:
    """CRI-O pins the PID namespace of a container that is targeted, and names no target."""
    path = "/var/run/pidns/pidns42"
    details = running(
        {
            "pid": 7,
            "runtimeSpec": {
                "annotations": {"io.kubernetes.cri-o.ContainerType": "container"},
                "linux": {"namespaces": [{"type": "pid", "path": path}]},
            },
        }
    )

    assert details == ContainerDetails(
        pid=7,
        pid_mode=NamespaceMode.TARGET,
        target_id="",
        spec_namespaces=(entry(PID, path),),
        grace_seconds=0,
        may_administer=None,
        may_change_network=None,
    )


@pytest.mark.parametrize(
    ("linux", "mode", "target"),
    [
        ({"security_context": {"namespace_options": {"pid": 1}}}, NamespaceMode.CONTAINER, ""),
        ({"security_context": {"namespace_options": {"pid": 2}}}, NamespaceMode.NODE, ""),
        ({"security_context": {"namespace_options": {"pid": 3, "target_id": "c0"}}}, NamespaceMode.TARGET, "c0"),
        ({"security_context": {"namespace_options": {}}}, NamespaceMode.POD, ""),
        ({"security_context": {}}, NamespaceMode.POD, ""),
        ({}, NamespaceMode.POD, ""),
        ({"security_context": {"namespace_options": {"pid": 9}}}, None, ""),
        ({"security_context": {"namespace_options": {"pid": "TARGET"}}}, None, ""),
        ({"security_context": {"namespace_options": {"pid": [1]}}}, None, ""),
    ],
)
def test_containerd_pid_mode(linux: object, mode: NamespaceMode | None, target: str) -> None:
    """An absent option is the zero value POD; one that we do not understand is no mode at all."""
    details = running({"pid": 5, "config": {"linux": linux}})

    assert isinstance(details, ContainerDetails)
    assert (details.pid_mode, details.target_id) == (mode, target)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"capabilities": {"bounding": ["CAP_NET_RAW", "CAP_SYS_ADMIN"]}}, True),
        ({"capabilities": {"bounding": ["CAP_NET_RAW"], "effective": ["CAP_SYS_ADMIN"]}}, False),
        ({"capabilities": {}}, False),
        ({}, None),
    ],
)
def test_may_administer(capabilities: object, expected: bool | None) -> None:  # noqa: FBT001
    """The bounding set decides, for a program may gain what is in it; without one nothing is known."""
    details = running({"runtimeSpec": {"process": capabilities}})

    assert isinstance(details, ContainerDetails)
    assert details.may_administer is expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"capabilities": {"bounding": ["CAP_NET_RAW", "CAP_NET_ADMIN"]}}, True),
        ({"capabilities": {"bounding": ["CAP_SYS_ADMIN"], "effective": ["CAP_NET_ADMIN"]}}, False),
        ({"capabilities": {}}, False),
        ({}, None),
    ],
)
def test_may_change_network(capabilities: object, expected: bool | None) -> None:  # noqa: FBT001
    """CAP_NET_ADMIN rules addresses and links; CAP_SYS_ADMIN does not."""
    details = running({"runtimeSpec": {"process": capabilities}})

    assert isinstance(details, ContainerDetails)
    assert details.may_change_network is expected


@pytest.mark.parametrize("state", [cri.CONTAINER_CREATED, cri.CONTAINER_EXITED, cri.CONTAINER_UNKNOWN])
def test_only_a_running_container_has_a_process(state: int) -> None:
    """CRI-O keeps the pid of a dead container, which may be a stranger's by now."""
    details = running({"pid": 4242}, state)

    assert isinstance(details, ContainerDetails)
    assert details.pid == 0


def test_the_status_is_later_than_the_list() -> None:
    """A container that ended between list and status is told as it is in the status."""
    listed, answer = recorded_container("containerd-2.4/web")
    answer.status.state = cri.CONTAINER_EXITED

    assert translate_container(listed, answer).state is ContainerState.EXITED


def test_exited_container() -> None:
    """Of a container that has exited only the list is told."""
    listed, _ = recorded_container("containerd-2.4/web")
    container = translate_exited_container(listed)

    assert (container.name, container.state) == ("app", ContainerState.EXITED)
    assert container.details == NOTHING_TO_TELL


@pytest.mark.parametrize("may_change_network", [True, False, None])
def test_exited_container_that_was_seen_running(*, may_change_network: bool | None) -> None:
    """What it did to the pod's network outlives it, so it is remembered whether it could."""
    listed, answer = recorded_container("containerd-2.4/web")
    before = translate_container(listed, answer)
    assert isinstance(before.details, ContainerDetails)
    before = replace(before, details=replace(before.details, may_change_network=may_change_network))

    exited = translate_exited_container(listed, before)

    assert exited.details == replace(NOTHING_TO_TELL, may_change_network=may_change_network)


def test_exited_container_whose_status_was_never_read() -> None:
    """A refused status tells nothing of what it could do."""
    listed, _ = recorded_container("containerd-2.4/web")
    before = translate_container(listed, Unavailable(reason="RuntimeSlow", detail="no answer"))

    assert translate_exited_container(listed, before).details == NOTHING_TO_TELL


def test_image_that_people_know() -> None:
    """Containerd lists the digest as the image, and what the pod asked for beside it."""
    image = cri.ImageSpec(image="sha256:9014d393", user_specified_image="localhost/busybox:1")

    assert translate_exited_container(cri.Container(image=image)).image == "localhost/busybox:1"


def test_container_in_two_sandboxes() -> None:
    """Judged by what the wrong one asked for, its namespaces would be somebody else's."""
    listed, answer = recorded_container("containerd-2.4/web")
    listed.pod_sandbox_id = "b" * 64
    details = translate_container(listed, answer).details

    assert isinstance(details, Unavailable)
    assert details.reason == "StatusContradictory"


@pytest.mark.parametrize(
    ("annotations", "seconds"),
    [
        ({}, 0),
        ({"io.kubernetes.pod.terminationGracePeriod": "30"}, 30),
        (
            {
                "io.kubernetes.pod.terminationGracePeriod": "30",
                "io.kubernetes.pod.deletionGracePeriod": "600",
            },
            600,
        ),
        ({"io.kubernetes.pod.terminationGracePeriod": "soon"}, 0),
        ({"io.kubernetes.pod.terminationGracePeriod": "-1"}, 0),
        ({"io.kubernetes.pod.terminationGracePeriod": "9" * 400}, 0),
    ],
)
def test_grace_period(annotations: dict[str, str], seconds: float) -> None:
    """The longer of the two; what is no number of seconds tells none."""
    status = cri.ContainerStatus(state=cri.CONTAINER_RUNNING, annotations=annotations)
    listed = cri.Container(id="c", state=cri.CONTAINER_RUNNING)
    container = translate_container(listed, cri.ContainerStatusResponse(status=status))

    assert isinstance(container.details, ContainerDetails)
    assert container.details.grace_seconds == seconds
