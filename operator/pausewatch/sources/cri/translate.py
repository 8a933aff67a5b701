"""Messages of the CRI to values of the model: pure, the one place that knows how the runtimes differ.

Where a rule is about one runtime, it names it. Every text is escaped here, once.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

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
from pausewatch.model.text import printable
from pausewatch.sources.cri import verbose_info
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.verbose_info import JsonObject

MODES: Mapping[object, NamespaceMode] = {
    cri.POD: NamespaceMode.POD,
    cri.CONTAINER: NamespaceMode.CONTAINER,
    cri.NODE: NamespaceMode.NODE,
    cri.TARGET: NamespaceMode.TARGET,
}
"""By number. A number that a later CRI adds is absent: nothing is expected of a mode that we do not know."""

CONTAINER_STATES: Mapping[int, ContainerState] = {
    cri.CONTAINER_CREATED: ContainerState.CREATED,
    cri.CONTAINER_RUNNING: ContainerState.RUNNING,
    cri.CONTAINER_EXITED: ContainerState.EXITED,
}

CRI_O_HANDLER = "io.kubernetes.cri-o.RuntimeHandler"
"""CRI-O never fills ``runtime_handler`` of the CRI (its server/sandbox_status.go), only this annotation."""

CONTAINERD_IMAGE = "io.kubernetes.cri.podsandbox.image-name"
"""Annotation of containerd 2 on a sandbox: the name in its configuration."""

CRI_O_TYPE = "io.kubernetes.cri-o.ContainerType"
"""An annotation on everything that CRI-O starts, and on nothing else."""

PID_NAMESPACE_OF_PROCESS = re.compile(r"/proc/\d+/ns/pid")

POD_SOURCE = "kubernetes.io/config.source"
"""Annotation of a sandbox (kubernetes pkg/kubelet/types/pod_update.go)."""

POD_UID_LABEL = "io.kubernetes.pod.uid"
"""On every sandbox of a kubelet, set after the user's own labels, so that no pod can take it off."""

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

NO_STATUS = Unavailable(reason="StatusUnreadable", detail="the runtime's answer holds no status")

MOST_ADDRESSES = 64
"""Of one sandbox. Kubernetes knows two; a plugin may give a pod more."""

MOST_DIGITS = 19
"""Of a number of 64 bits; some hundred digits are infinite as a float, which no recording can hold."""

LONGEST_QUOTE = 40

LARGEST_PID = 4 * 1024 * 1024
"""PID_MAX_LIMIT, include/linux/threads.h: no number of a process is larger."""


def translate_runtime(answer: cri.VersionResponse, endpoint: str) -> Runtime:
    """Return who answers at ``endpoint``."""
    return Runtime(
        name=printable(answer.runtime_name),
        version=printable(answer.runtime_version),
        endpoint=printable(endpoint),
    )


def translate_sandbox(listed: cri.PodSandbox, answer: cri.PodSandboxStatusResponse | Unavailable) -> Sandbox:
    """Return a sandbox from its entry in the list and its verbose status.

    The state is that of the status where there is one: it is the later of the two, and the details go with it.
    """
    details: SandboxDetails | Unavailable
    state = _sandbox_state(listed.state)
    if isinstance(answer, Unavailable):
        details = answer
    elif answer.HasField("status"):
        state = _sandbox_state(answer.status.state)
        details = _why_untrue(listed, answer.status) or _sandbox_details(answer.status, state, answer.info)
    else:
        details = NO_STATUS
    return Sandbox(
        id=printable(listed.id),
        name=printable(listed.metadata.name),
        namespace=printable(listed.metadata.namespace),
        uid=printable(listed.metadata.uid),
        attempt=listed.metadata.attempt,
        state=state,
        created_at_seconds=listed.created_at / 1e9,
        details=details,
    )


def _why_untrue(listed: cri.PodSandbox, status: cri.PodSandboxStatus) -> Unavailable | None:
    """Return why the list and the status of a sandbox can not both be true, or tell too little to be judged.

    A state that we do not know would read like NOTREADY: of a pod that runs, that is a pause which has died. A uid that
    is not there, or is not the one that the kubelet put on the sandbox, is no pod's: that would be an orphan.
    """
    uid = status.labels.get(POD_UID_LABEL, listed.metadata.uid)
    if status.state not in (cri.SANDBOX_READY, cri.SANDBOX_NOTREADY):
        cause = f"the runtime gives a sandbox the state {status.state}, which this program does not know"
    elif not listed.metadata.name:
        cause = "the runtime lists a sandbox without the name of its pod"
    elif uid != listed.metadata.uid:
        other = printable(listed.metadata.uid) or "none"
        cause = f"the status of a sandbox is about the pod {printable(uid)}, and the list has it for the pod {other}"
    else:
        return None
    return _contradictory(cause)


def _contradictory(cause: str) -> Unavailable:
    return Unavailable(
        reason="StatusContradictory",
        detail=cause,
        remedy="compare crictl pods and ps with crictl inspectp and inspect, and report it with the runtime's version",
    )


def translate_container(listed: cri.Container, answer: cri.ContainerStatusResponse | Unavailable) -> Container:
    """Return a container from its entry in the list and its verbose status; the state as for a sandbox."""
    details: ContainerDetails | Unavailable
    state = _container_state(listed.state)
    if isinstance(answer, Unavailable):
        details = answer
    elif answer.HasField("status"):
        state = _container_state(answer.status.state)
        details = _container_details(answer.status, state, answer.info, listed.pod_sandbox_id)
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


def _sandbox_state(number: int) -> SandboxState:
    return SandboxState.READY if number == cri.SANDBOX_READY else SandboxState.NOTREADY


def _container_state(number: int) -> ContainerState:
    return CONTAINER_STATES.get(number, ContainerState.UNKNOWN)


def _sandbox_details(
    status: cri.PodSandboxStatus, state: SandboxState, raw_info: Mapping[str, str]
) -> SandboxDetails | Unavailable:
    info = verbose_info.parse_info(raw_info)
    if isinstance(info, Unavailable):
        return info
    pid = _pid(info)
    if isinstance(pid, Unavailable):
        return pid
    options: cri.NamespaceOption | None = None
    if status.HasField("linux") and status.linux.HasField("namespaces") and status.linux.namespaces.HasField("options"):
        options = status.linux.namespaces.options
    return SandboxDetails(
        # The number of a dead pause may belong to a stranger by now.
        pause_pid=pid if state is SandboxState.READY else 0,
        # containerd's `image` may be another name of the same image; the annotation is what is configured.
        image=verbose_info.annotation(info, CONTAINERD_IMAGE) or verbose_info.text(info, "image"),
        runtime_type=verbose_info.text(info, "runtimeType"),
        runtime_handler=printable(status.runtime_handler) or verbose_info.annotation(info, CRI_O_HANDLER),
        network_mode=None if options is None else MODES.get(options.network),
        ipc_mode=None if options is None else MODES.get(options.ipc),
        pid_mode=None if options is None else MODES.get(options.pid),
        # The CRI says that POD is to be assumed of an absent message. Runtimes make no user namespace then, and
        # containerd 1.6 and CRI-O leave it out for every pod: assuming it would report them all.
        user_mode=MODES.get(options.userns_options.mode)
        if options is not None and options.HasField("userns_options")
        else None,
        spec_namespaces=verbose_info.spec_namespaces(info),
        addresses=_addresses(status.network),
        pod_source=printable(status.annotations.get(POD_SOURCE, "")) if POD_UID_LABEL in status.labels else "",
    )


def _addresses(network: cri.PodSandboxNetworkStatus) -> tuple[str, ...]:
    every = (network.ip, *(address.ip for address in network.additional_ips[:MOST_ADDRESSES]))
    canonical = (_canonical(address) for address in every)
    return tuple(address for address in canonical if address)


def _canonical(address: str) -> str:
    """Return an IP address in the one form in which equal ones are equal texts; empty for what is none.

    None either: an IPv6 address with a zone, behind which Python takes any text. A pod's address has none.
    """
    if "%" in address:
        return ""
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


def _container_details(
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
        return _contradictory(cause)
    pid = _pid(info)
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


def _pid(info: JsonObject) -> int | Unavailable:
    """Return the number of the first process, 0 where there is none; a number that no process has tells nothing."""
    pid = verbose_info.number(info, "pid")
    if pid is not None and pid <= LARGEST_PID:
        return pid
    return Unavailable(
        reason="StatusUnreadable",
        detail=f"the runtime tells a pid that no process can have: {printable(repr(info.get('pid')), LONGEST_QUOTE)}",
        remedy="report it, with the runtime's version and the output of crictl inspect or inspectp",
    )


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
