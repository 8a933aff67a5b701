"""A container, from its entry in the runtime's list and its verbose status."""

import re
from collections.abc import Mapping
from dataclasses import replace

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import Container, ContainerDetails, ContainerState, NamespaceMode, SpecNamespace
from pausewatch.model.text import printable
from pausewatch.sources.cri import verbose_info
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate import LONGEST_QUOTE, MODES, NO_STATUS, contradictory, first_pid
from pausewatch.sources.cri.verbose_info import JsonObject

CONTAINER_STATES: Mapping[int, ContainerState] = {
    cri.CONTAINER_CREATED: ContainerState.CREATED,
    cri.CONTAINER_RUNNING: ContainerState.RUNNING,
    cri.CONTAINER_EXITED: ContainerState.EXITED,
}

CRI_O_TYPE = "io.kubernetes.cri-o.ContainerType"
"""An annotation on everything that CRI-O starts, and on nothing else."""

PID_NAMESPACE_OF_PROCESS = re.compile(r"/proc/\d+/ns/pid")

GRACE_PERIODS = ("io.kubernetes.pod.terminationGracePeriod", "io.kubernetes.pod.deletionGracePeriod")
"""Annotations of a container, in seconds (kubernetes pkg/kubelet/kuberuntime/labels.go)."""

NOTHING_TO_TELL = ContainerDetails(
    pid=0,
    pid_mode=None,
    target_id="",
    spec_namespaces=None,
    grace_seconds=0,
    may_administer=None,
    may_change_network=None,
)
"""Of a container that has exited: it has no process, so nothing is judged and its status is not asked for."""

ADMINISTER = "CAP_SYS_ADMIN"

CHANGE_NETWORK = "CAP_NET_ADMIN"

MOST_DIGITS = 19
"""Of a number of 64 bits; some hundred digits are infinite as a float, which no recording can hold."""


def translate_container(listed: cri.Container, answer: cri.ContainerStatusResponse | Unavailable) -> Container:
    """Return a container from its entry in the list and its verbose status; the state as for a sandbox."""
    details: ContainerDetails | Unavailable
    state = _state(listed.state)
    if isinstance(answer, Unavailable):
        details = answer
    elif answer.HasField("status"):
        state = _state(answer.status.state)
        details = _details(answer.status, state, answer.info, listed.pod_sandbox_id)
    else:
        details = NO_STATUS
    return _container(listed, state, details)


def translate_exited_container(listed: cri.Container, former: Container | None = None) -> Container:
    """Return a container that the list calls EXITED.

    ``former`` is the same one while it ran, as far as it was seen: what it did to the pod's network outlives it.
    """
    details = NOTHING_TO_TELL
    if former is not None and not isinstance(former.details, Unavailable):
        details = replace(details, may_change_network=former.details.may_change_network)
    return _container(listed, ContainerState.EXITED, details)


def _container(listed: cri.Container, state: ContainerState, details: ContainerDetails | Unavailable) -> Container:
    return Container(
        id=printable(listed.id),
        sandbox_id=printable(listed.pod_sandbox_id),
        name=printable(listed.metadata.name),
        attempt=listed.metadata.attempt,
        state=state,
        # containerd puts the image's digest into `image` when it has both; people know the other one.
        image=printable(listed.image.user_specified_image or listed.image.image),
        details=details,
    )


def _state(number: int) -> ContainerState:
    return CONTAINER_STATES.get(number, ContainerState.UNKNOWN)


def _details(
    status: cri.ContainerStatus, state: ContainerState, raw_info: Mapping[str, str], sandbox_id: str
) -> ContainerDetails | Unavailable:
    info = verbose_info.parse_info(raw_info)
    if isinstance(info, Unavailable):
        return info
    told = verbose_info.text(info, "sandboxID")  # of all three runtimes, beside the specification
    if told and told != sandbox_id:
        cause = (
            f"the list has a container in the sandbox {printable(sandbox_id, LONGEST_QUOTE)}, and its status in {told}"
        )
        return contradictory(cause)
    pid = first_pid(info)
    if isinstance(pid, Unavailable):
        return pid
    namespaces = verbose_info.spec_namespaces(info)
    options = _containerd_namespace_options(info)
    if options is not None:
        # Zero values are left out, and an absent message is one of zero values: POD. The kubelet writes CONTAINER.
        pid_mode = MODES.get(verbose_info.number(options, "pid"))
        target_id = verbose_info.text(options, "target_id")
    else:
        pid_mode = _cri_o_pid_mode(namespaces) if verbose_info.annotation(info, CRI_O_TYPE) else None
        target_id = ""
    return ContainerDetails(
        # CRI-O keeps the pid of a container that has exited; by then it may be a stranger's.
        pid=pid if state is ContainerState.RUNNING else 0,
        pid_mode=pid_mode,
        target_id=target_id,
        spec_namespaces=namespaces,
        grace_seconds=_grace_seconds(status.annotations),
        may_administer=verbose_info.may_gain(info, ADMINISTER),
        may_change_network=verbose_info.may_gain(info, CHANGE_NETWORK),
    )


def _grace_seconds(annotations: Mapping[str, str]) -> float:
    """Return the longest grace period; a text that is no number of seconds tells none."""
    texts = (annotations.get(name, "") for name in GRACE_PERIODS)
    numbers = (text for text in texts if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS)
    return max((float(number) for number in numbers), default=0)


def _containerd_namespace_options(info: JsonObject) -> JsonObject | None:
    """Return the options of the request that made the container, which containerd keeps; None on other runtimes."""
    if not isinstance(info.get("config"), dict):
        return None
    return verbose_info.part(info, "config", "linux", "security_context", "namespace_options")


def _cri_o_pid_mode(namespaces: tuple[SpecNamespace, ...] | None) -> NamespaceMode | None:
    """Tell the mode by what CRI-O makes of it in the specification (its server/container_create.go).

    No entry: the node's. Without a path: a new one. The link of a process: the sandbox's, held by its pause. Another
    file: the pin of the container that is targeted.
    """
    if namespaces is None:
        return None
    entry = next((entry for entry in namespaces if entry.kind is NamespaceKind.PID), None)
    if entry is None:
        return NamespaceMode.NODE
    if not entry.path:
        return NamespaceMode.CONTAINER
    if PID_NAMESPACE_OF_PROCESS.fullmatch(entry.path):
        return NamespaceMode.POD
    return NamespaceMode.TARGET
