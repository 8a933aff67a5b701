import json
import re
from typing import Any

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import NamespaceMode, Sandbox, SandboxDetails, SandboxState
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate_sandbox import MOST_ADDRESSES, translate_sandbox
from pausewatch.sources.cri.verbose_info import MOST_NAMESPACES
from sources.cri.recorded import recorded_sandbox
from sources.cri.translated import IPC, NETWORK, PID, UTS, entry, ready, sandbox_details


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


def test_cri_o_runtime_handler() -> None:
    """CRI-O leaves the field of the CRI empty and writes the handler into an annotation."""
    annotations = {"io.kubernetes.cri-o.RuntimeHandler": "kata"}
    info = {"info": json.dumps({"runtimeSpec": {"annotations": annotations}})}
    details = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(), info=info))

    assert isinstance(details, SandboxDetails)
    assert details.runtime_handler == "kata"


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


def test_only_a_ready_sandbox_has_a_pause() -> None:
    """The same holds for the pause of a sandbox that is not ready."""
    listed, answer = recorded_sandbox("containerd-2.4/web")
    answer.status.state = cri.SANDBOX_NOTREADY
    details = translate_sandbox(listed, answer).details

    assert isinstance(details, SandboxDetails)
    assert details.pause_pid == 0


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


def test_user_namespace_that_cri_o_made() -> None:
    """Its status tells no option for it, whether the pod asked by `hostUsers: false` or by an annotation."""
    listed, answer = recorded_sandbox("cri-o-1.37/web")
    info = json.loads(answer.info["info"])
    info["runtimeSpec"]["linux"]["namespaces"].append({"type": "user", "path": "/var/run/userns/9dedca67"})
    answer.info["info"] = json.dumps(info)
    details = translate_sandbox(listed, answer).details

    assert isinstance(details, SandboxDetails)
    assert not answer.status.linux.namespaces.options.HasField("userns_options")
    assert details.user_mode is NamespaceMode.POD


def test_user_namespace_that_the_runtime_tells_counts_before_its_specification() -> None:
    """What was asked for is judged, whatever was made of it."""
    options = cri.NamespaceOption(userns_options=cri.UserNamespace(mode=cri.NODE))
    linux = cri.LinuxPodSandboxStatus(namespaces=cri.Namespace(options=options))
    info = {"info": json.dumps({"runtimeSpec": {"linux": {"namespaces": [{"type": "user"}]}}})}
    details = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(linux=linux), info=info))

    assert isinstance(details, SandboxDetails)
    assert details.user_mode is NamespaceMode.NODE


def test_second_address() -> None:
    """A dual-stack pod has two addresses, in the runtime's order."""
    network = cri.PodSandboxNetworkStatus(ip="10.0.0.1", additional_ips=[cri.PodIP(ip="fd00::1")])
    details = ready(cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(network=network)))

    assert isinstance(details, SandboxDetails)
    assert details.addresses == ("10.0.0.1", "fd00::1")


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
