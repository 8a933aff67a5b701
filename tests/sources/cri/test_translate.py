import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import (
    Container,
    ContainerDetails,
    ContainerState,
    NamespaceMode,
    Sandbox,
    SandboxDetails,
    SandboxState,
    SpecNamespace,
)
from pausewatch.model.snapshot import Runtime
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate import (
    LARGEST_PID,
    MOST_ADDRESSES,
    NOTHING_TO_TELL,
    translate_container,
    translate_exited_container,
    translate_runtime,
    translate_sandbox,
)
from pausewatch.sources.cri.verbose_info import MOST_NAMESPACES
from sources.cri.recorded import recorded_container, recorded_sandbox

KEYS = (
    "pid",
    "image",
    "config",
    "linux",
    "security_context",
    "namespace_options",
    "runtimeSpec",
    "annotations",
    "io.kubernetes.cri-o.ContainerType",
    "namespaces",
    "type",
    "path",
    "process",
    "capabilities",
    "bounding",
)
"""The keys that are read."""

NETWORK, IPC, UTS, PID = NamespaceKind.NETWORK, NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.PID


def entry(kind: NamespaceKind, path: str = "") -> SpecNamespace:
    """Return one entry of a specification."""
    return SpecNamespace(kind=kind, path=path)


def sandbox_details(name: str) -> SandboxDetails:
    """Return the details of a recorded sandbox."""
    details = translate_sandbox(*recorded_sandbox(name)).details
    assert isinstance(details, SandboxDetails)
    return details


def container_details(name: str) -> ContainerDetails:
    """Return the details of the recorded container of a pod."""
    details = translate_container(*recorded_container(name)).details
    assert isinstance(details, ContainerDetails)
    return details


def running(info: Any, state: int = cri.CONTAINER_RUNNING) -> ContainerDetails | Unavailable:  # noqa: ANN401
    """Return the details of a container with this JSON."""
    answer = cri.ContainerStatusResponse(
        status=cri.ContainerStatus(state=cri.ContainerState.Name(state)), info={"info": json.dumps(info)}
    )
    return translate_container(cri.Container(id="c1", pod_sandbox_id="s1"), answer).details


def ready(answer: cri.PodSandboxStatusResponse) -> SandboxDetails | Unavailable:
    """Return the details of a sandbox with this status."""
    metadata = cri.PodSandboxMetadata(name="web", namespace="default", uid="u1")
    return translate_sandbox(cri.PodSandbox(id="s1", metadata=metadata), answer).details


def texts(value: object) -> Iterator[str]:
    """Return every text in nested dictionaries and tuples."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from texts(inner)
        case tuple():
            for inner in value:
                yield from texts(inner)


def test_runtime() -> None:
    """The runtime's name and version are kept with the endpoint they were asked at."""
    answer = cri.VersionResponse(runtime_name="containerd", runtime_version="2.4.2")

    assert translate_runtime(answer, "unix:///run/c.sock") == Runtime(
        name="containerd", version="2.4.2", endpoint="unix:///run/c.sock"
    )


def test_containerd_sandbox() -> None:
    """A sandbox of containerd has a pause, which holds everything but the pinned network namespace."""
    sandbox = translate_sandbox(*recorded_sandbox("containerd-2.4/web"))

    assert sandbox == Sandbox(
        id="6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab",
        name="web",
        namespace="default",
        uid="2595976c-bc45-40c5-b56f-faaf68d2f9c4",
        attempt=0,
        state=SandboxState.READY,
        created_at_seconds=1795225566.520138,
        details=SandboxDetails(
            pause_pid=31622,
            image="localhost/pause:1",
            runtime_type="io.containerd.runc.v2",
            runtime_handler="",
            network_mode=NamespaceMode.POD,
            ipc_mode=NamespaceMode.POD,
            pid_mode=NamespaceMode.CONTAINER,
            user_mode=NamespaceMode.NODE,
            spec_namespaces=(
                entry(PID),
                entry(IPC),
                entry(UTS),
                entry(NETWORK, "/var/run/netns/cni-cf844504-69a9-63da-939e-38fca4a054ec"),
            ),
            addresses=("10.200.0.3",),
            pod_source="api",
        ),
    )


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


def test_cri_o_sandbox_without_pause() -> None:
    """A sandbox of CRI-O has files instead of a process, and no user namespace option."""
    assert sandbox_details("cri-o-1.37/web") == SandboxDetails(
        pause_pid=0,
        image="",
        runtime_type="",
        runtime_handler="",
        network_mode=NamespaceMode.POD,
        ipc_mode=NamespaceMode.POD,
        pid_mode=NamespaceMode.CONTAINER,
        user_mode=None,
        spec_namespaces=(
            entry(PID),
            entry(NETWORK, "/var/run/netns/9dedca67-11eb-408b-a1d8-f7d0ebc0b257"),
            entry(IPC, "/var/run/ipcns/9dedca67-11eb-408b-a1d8-f7d0ebc0b257"),
            entry(UTS, "/var/run/utsns/9dedca67-11eb-408b-a1d8-f7d0ebc0b257"),
        ),
        addresses=("10.210.0.5",),
        pod_source="",
    )


def test_cri_o_sandbox_with_pause() -> None:
    """A shared PID namespace needs a process to hold it, so CRI-O keeps the pause."""
    details = sandbox_details("cri-o-1.37/sharedpid")

    assert (details.pause_pid, details.image) == (7175, "localhost/pause:1")


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


def test_cri_o_runtime_handler() -> None:
    """CRI-O leaves the field of the CRI empty and writes the handler into an annotation."""
    annotations = {"io.kubernetes.cri-o.RuntimeHandler": "kata"}
    info = {"info": json.dumps({"runtimeSpec": {"annotations": annotations}})}
    details = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(), info=info))

    assert isinstance(details, SandboxDetails)
    assert details.runtime_handler == "kata"


def test_gvisor() -> None:
    """All containers of gVisor have the pid of the sandbox, whose runtime type and handler tell what it is."""
    sandbox = sandbox_details("gvisor/web")

    assert (sandbox.runtime_type, sandbox.runtime_handler) == ("io.containerd.runsc.v1", "runsc")
    assert container_details("gvisor/web").pid == sandbox.pause_pid == 8521


def test_cri_dockerd() -> None:
    """cri-dockerd tells the pid of a container and nothing else, of a sandbox nothing at all."""
    sandbox = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus()))

    assert isinstance(sandbox, SandboxDetails)
    assert (sandbox.pause_pid, sandbox.spec_namespaces) == (0, None)
    assert running({"sandboxID": "s1", "pid": 12}) == ContainerDetails(
        pid=12,
        pid_mode=None,
        target_id="",
        spec_namespaces=None,
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


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("10.0.0.7\x1b[31m", None),
        ("eth0", None),
        ("fe80::1%\x1b[31m", None),
        ("", None),
    ],
)
def test_addresses_are_in_canonical_form(told: str, expected: str | None) -> None:
    """They are compared with what the kernel shows; what is no address is none."""
    status = cri.PodSandboxStatus(network=cri.PodSandboxNetworkStatus(ip=told))
    details = ready(cri.PodSandboxStatusResponse(status=status))

    assert isinstance(details, SandboxDetails)
    assert details.addresses == (() if expected is None else (expected,))


@pytest.mark.parametrize("state", [cri.CONTAINER_CREATED, cri.CONTAINER_EXITED, cri.CONTAINER_UNKNOWN])
def test_only_a_running_container_has_a_process(state: int) -> None:
    """CRI-O keeps the pid of a dead container, which may be a stranger's by now."""
    details = running({"pid": 4242}, state)

    assert isinstance(details, ContainerDetails)
    assert details.pid == 0


def test_only_a_ready_sandbox_has_a_pause() -> None:
    """The same holds for the pause of a sandbox that is not ready."""
    listed, answer = recorded_sandbox("containerd-2.4/web")
    answer.status.state = cri.SANDBOX_NOTREADY
    details = translate_sandbox(listed, answer).details

    assert isinstance(details, SandboxDetails)
    assert details.pause_pid == 0


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


def test_absent_namespace_options_are_no_modes() -> None:
    """The zero value of a mode is POD, so an absent message must not be read as one."""
    for status in (
        cri.PodSandboxStatus(),
        cri.PodSandboxStatus(linux=cri.LinuxPodSandboxStatus()),
        cri.PodSandboxStatus(linux=cri.LinuxPodSandboxStatus(namespaces=cri.Namespace())),
    ):
        details = ready(cri.PodSandboxStatusResponse(status=status))

        assert isinstance(details, SandboxDetails)
        modes = (details.network_mode, details.ipc_mode, details.pid_mode, details.user_mode)
        assert modes == (None, None, None, None)


def test_empty_namespace_options_are_pod() -> None:
    """A message that is there with nothing in it holds zero values; containerd 1.6 knows no user namespaces."""
    linux = cri.LinuxPodSandboxStatus(namespaces=cri.Namespace(options=cri.NamespaceOption()))
    details = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(linux=linux)))

    assert isinstance(details, SandboxDetails)
    assert (details.network_mode, details.ipc_mode, details.pid_mode) == (NamespaceMode.POD,) * 3
    assert details.user_mode is None


def test_answer_without_status() -> None:
    """An answer without a status is unreadable, and not a READY sandbox without a pause or a CREATED container."""
    sandbox = translate_sandbox(cri.PodSandbox(state=cri.SANDBOX_NOTREADY), cri.PodSandboxStatusResponse())
    container = translate_container(cri.Container(state=cri.CONTAINER_RUNNING), cri.ContainerStatusResponse())

    assert isinstance(sandbox.details, Unavailable)
    assert (sandbox.state, sandbox.details.reason) == (SandboxState.NOTREADY, "StatusUnreadable")
    assert isinstance(container.details, Unavailable)
    assert (container.state, container.details.reason) == (ContainerState.RUNNING, "StatusUnreadable")


@pytest.mark.parametrize("text", ["{", "[]", "null", '"x"', "[" * 100_000])
def test_malformed_information(text: str) -> None:
    """What is no JSON object makes the details unreadable, never an exception."""
    sandbox = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(), info={"info": text}))
    answer = cri.ContainerStatusResponse(status=cri.ContainerStatus(), info={"info": text})
    container = translate_container(cri.Container(), answer).details

    assert isinstance(sandbox, Unavailable)
    assert sandbox.reason == "StatusUnreadable"
    assert isinstance(container, Unavailable)
    assert container.reason == "StatusUnreadable"


def test_failed_status_is_told_with_the_item() -> None:
    """The list stands where the status could not be read, and the state is the list's."""
    cause = Unavailable(reason="RuntimeHanging", detail="did not answer")
    sandbox = translate_sandbox(cri.PodSandbox(id="s1", state=cri.SANDBOX_NOTREADY), cause)
    container = translate_container(cri.Container(id="c1", state=cri.CONTAINER_UNKNOWN), cause)

    assert (sandbox.id, sandbox.state, sandbox.details) == ("s1", SandboxState.NOTREADY, cause)
    assert (container.id, container.state, container.details) == ("c1", ContainerState.UNKNOWN, cause)


def test_states_of_a_later_cri() -> None:
    """A number that we do not know is neither READY nor RUNNING."""
    sandbox = cri.PodSandbox.FromString(b"\x18\x07")
    container = cri.Container.FromString(b"\x30\x07")
    cause = Unavailable(reason="CallFailed", detail="")

    assert translate_sandbox(sandbox, cause).state is SandboxState.NOTREADY
    assert translate_container(container, cause).state is ContainerState.UNKNOWN


def test_all_text_is_escaped() -> None:
    """Whoever may talk to the CRI chooses names; none of them reaches a terminal as it is."""
    evil = "a\x1b[31m\u202e"
    metadata = cri.PodSandboxMetadata(name=evil, uid=evil, namespace=evil)
    info = {
        "image": evil,
        "runtimeType": evil,
        "runtimeSpec": {"linux": {"namespaces": [{"type": "network", "path": evil}]}},
    }
    status = cri.PodSandboxStatus(runtime_handler=evil, network=cri.PodSandboxNetworkStatus(ip=evil))
    sandbox = translate_sandbox(
        cri.PodSandbox(id=evil, metadata=metadata),
        cri.PodSandboxStatusResponse(status=status, info={"info": json.dumps(info)}),
    )
    config = {"linux": {"security_context": {"namespace_options": {"target_id": evil}}}}
    container = translate_container(
        cri.Container(
            id=evil,
            pod_sandbox_id=evil,
            metadata=cri.ContainerMetadata(name=evil),
            image=cri.ImageSpec(image=evil),
        ),
        cri.ContainerStatusResponse(status=cri.ContainerStatus(), info={"info": json.dumps({"config": config})}),
    )
    runtime = translate_runtime(cri.VersionResponse(runtime_name=evil, runtime_version=evil), evil)

    shown = [text for value in (sandbox, container, runtime) for text in texts(asdict(value)) if "31m" in text]
    # What is no address is left out of the addresses.
    assert shown == [r"a\x1b[31m\u202e"] * 16


def test_second_address() -> None:
    """A dual-stack pod has two addresses, in the runtime's order."""
    network = cri.PodSandboxNetworkStatus(ip="10.0.0.1", additional_ips=[cri.PodIP(ip="fd00::1")])
    details = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(network=network)))

    assert isinstance(details, SandboxDetails)
    assert details.addresses == ("10.0.0.1", "fd00::1")


def test_image_that_people_know() -> None:
    """Containerd lists the digest as the image, and what the pod asked for beside it."""
    image = cri.ImageSpec(image="sha256:9014d393", user_specified_image="localhost/busybox:1")

    assert translate_exited_container(cri.Container(image=image)).image == "localhost/busybox:1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(info=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_any_information_is_translated(info: dict[str, Any]) -> None:
    """Whatever a runtime writes where others write something else, the rest of the node is still read."""
    told = {"info": json.dumps(info)}
    sandbox = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(), info=told))
    container = running(info)

    pid = info.get("pid", 0)
    if type(pid) is int and 0 <= pid <= LARGEST_PID:
        assert isinstance(sandbox, SandboxDetails)
        assert isinstance(container, ContainerDetails)
    else:
        assert isinstance(sandbox, Unavailable)
        assert isinstance(container, Unavailable)


@pytest.mark.parametrize("pid", [-1, LARGEST_PID + 1, 2**40, 10**400, "7", 7.0, True, None, [7]])
def test_pid_that_no_process_has(pid: object) -> None:
    """Its process would look dead in a moment: nothing of such a status is believed."""
    told = running({"pid": pid})

    assert isinstance(told, Unavailable)
    assert told.reason == "StatusUnreadable"
    assert "pid that no process can have" in told.detail
    assert isinstance(running({"pid": LARGEST_PID}), ContainerDetails)


@pytest.mark.parametrize(
    ("metadata", "status", "cause"),
    [
        ({}, {}, "without the name of its pod"),
        ({"name": "web"}, {"labels": {"io.kubernetes.pod.uid": "u1"}}, "is about the pod u1, and the list .* pod none"),
        ({"name": "web", "uid": "u2"}, {"labels": {"io.kubernetes.pod.uid": "u1"}}, "list has it for the pod u2"),
    ],
)
def test_list_and_status_that_can_not_both_be_true(metadata: Any, status: Any, cause: str) -> None:  # noqa: ANN401
    """A pod that nobody has would be the pod of an orphan."""
    listed = cri.PodSandbox(id="s1", metadata=cri.PodSandboxMetadata(**metadata))
    answer = cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(**status))
    details = translate_sandbox(listed, answer).details

    assert isinstance(details, Unavailable)
    assert details.reason == "StatusContradictory"
    assert re.search(cause, details.detail)


def test_container_in_two_sandboxes() -> None:
    """Judged by what the wrong one asked for, its namespaces would be somebody else's."""
    listed, answer = recorded_container("containerd-2.4/web")
    listed.pod_sandbox_id = "b" * 64
    details = translate_container(listed, answer).details

    assert isinstance(details, Unavailable)
    assert details.reason == "StatusContradictory"


def test_sandbox_in_a_state_of_a_later_cri() -> None:
    """Read like NOTREADY, a pod that runs would have lost its pause."""
    details = ready(cri.PodSandboxStatusResponse.FromString(b"\x0a\x02\x18\x07"))

    assert isinstance(details, Unavailable)
    assert "the state 7" in details.detail


def test_more_of_a_kind_than_a_pod_can_have() -> None:
    """What is kept of one sandbox is bounded, whatever a runtime tells."""
    network = cri.PodSandboxNetworkStatus(additional_ips=[cri.PodIP(ip="10.0.0.1")] * 5000)
    info = {"runtimeSpec": {"linux": {"namespaces": [{"type": "network"}] * 5000}}}
    told = cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(network=network), info={"info": json.dumps(info)})
    details = ready(told)

    assert isinstance(details, SandboxDetails)
    assert len(details.addresses) == MOST_ADDRESSES
    assert len(details.spec_namespaces or ()) == MOST_NAMESPACES


@pytest.mark.parametrize(
    ("labels", "annotations", "source"),
    [
        ({"io.kubernetes.pod.uid": "u1"}, {"kubernetes.io/config.source": "api"}, "api"),
        ({"io.kubernetes.pod.uid": "u1"}, {"kubernetes.io/config.source": "file"}, "file"),
        ({"io.kubernetes.pod.uid": "u1"}, {}, ""),
        ({}, {"kubernetes.io/config.source": "api"}, ""),
    ],
)
def test_pod_source(labels: dict[str, str], annotations: dict[str, str], source: str) -> None:
    """Only a sandbox with the kubelet's own label has one: anybody may write annotations through the CRI."""
    status = cri.PodSandboxStatus(labels=labels, annotations=annotations)
    details = ready(cri.PodSandboxStatusResponse(status=status))

    assert isinstance(details, SandboxDetails)
    assert details.pod_source == source


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


def test_image_is_what_was_configured() -> None:
    """containerd's `image` may be another name of the same image; its annotation is the configured one."""
    info = {
        "image": "localhost/second-name:1",
        "runtimeSpec": {"annotations": {"io.kubernetes.cri.podsandbox.image-name": "localhost/pause:1"}},
    }
    told = [info, {"image": "localhost/second-name:1"}]

    status = cri.PodSandboxStatus()
    details = [ready(cri.PodSandboxStatusResponse(status=status, info={"info": json.dumps(one)})) for one in told]

    assert [one.image for one in details if not isinstance(one, Unavailable)] == [
        "localhost/pause:1",
        "localhost/second-name:1",
    ]
