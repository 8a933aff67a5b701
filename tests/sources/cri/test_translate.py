import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pausewatch.model.availability import Unavailable
from pausewatch.model.sandbox import ContainerDetails, ContainerState, SandboxDetails, SandboxState
from pausewatch.model.snapshot import Runtime
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate import LARGEST_PID, translate_runtime
from pausewatch.sources.cri.translate_container import translate_container
from pausewatch.sources.cri.translate_sandbox import translate_sandbox
from sources.cri.translated import container_details, ready, running, sandbox_details

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
