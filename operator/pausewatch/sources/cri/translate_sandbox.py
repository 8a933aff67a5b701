"""A sandbox, from its entry in the runtime's list and its verbose status."""

from collections.abc import Mapping
from ipaddress import ip_address

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import NamespaceMode, Sandbox, SandboxDetails, SandboxState, SpecNamespace
from pausewatch.model.text import printable
from pausewatch.sources.cri import verbose_info
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate import MODES, NO_STATUS, contradictory, first_pid

CRI_O_HANDLER = "io.kubernetes.cri-o.RuntimeHandler"
"""CRI-O never fills ``runtime_handler`` of the CRI (its server/sandbox_status.go), only this annotation."""

CONTAINERD_IMAGE = "io.kubernetes.cri.podsandbox.image-name"
"""Annotation of containerd 2 on a sandbox: the name in its configuration."""

POD_SOURCE = "kubernetes.io/config.source"
"""Annotation of a sandbox (kubernetes pkg/kubelet/types/pod_update.go)."""

POD_UID_LABEL = "io.kubernetes.pod.uid"
"""On every sandbox of a kubelet, set after the user's own labels, so that no pod can take it off."""

MOST_ADDRESSES = 64
"""Of one sandbox. Kubernetes knows two; a plugin may give a pod more."""


def translate_sandbox(listed: cri.PodSandbox, answer: cri.PodSandboxStatusResponse | Unavailable) -> Sandbox:
    """Return a sandbox from its entry in the list and its verbose status.

    The state is that of the status where there is one: it is the later of the two, and the details go with it.
    """
    details: SandboxDetails | Unavailable
    state = _state(listed.state)
    if isinstance(answer, Unavailable):
        details = answer
    elif answer.HasField("status"):
        state = _state(answer.status.state)
        details = _why_untrue(listed, answer.status) or _details(answer.status, state, answer.info)
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
    return contradictory(cause)


def _state(number: int) -> SandboxState:
    return SandboxState.READY if number == cri.SANDBOX_READY else SandboxState.NOTREADY


def _details(
    status: cri.PodSandboxStatus, state: SandboxState, raw_info: Mapping[str, str]
) -> SandboxDetails | Unavailable:
    info = verbose_info.parse_info(raw_info)
    if isinstance(info, Unavailable):
        return info
    pid = first_pid(info)
    if isinstance(pid, Unavailable):
        return pid
    options: cri.NamespaceOption | None = None
    if status.HasField("linux") and status.linux.HasField("namespaces") and status.linux.namespaces.HasField("options"):
        options = status.linux.namespaces.options
    namespaces = verbose_info.spec_namespaces(info)
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
        user_mode=_user_mode(options, namespaces),
        spec_namespaces=namespaces,
        addresses=_addresses(status.network),
        pod_source=printable(status.annotations.get(POD_SOURCE, "")) if POD_UID_LABEL in status.labels else "",
    )


def _user_mode(
    options: cri.NamespaceOption | None, namespaces: tuple[SpecNamespace, ...] | None
) -> NamespaceMode | None:
    """Return with whom a sandbox shares its user namespace; None where the runtime tells of none.

    The CRI says that POD is to be assumed of an absent message. containerd 1.6 and CRI-O leave it out for every pod, so
    assuming it would report them all; and so would NODE, for the pods that CRI-O puts into a user namespace of their
    own: those with ``hostUsers: false``, and where Kubernetes says nothing of it those with the annotation
    ``io.kubernetes.cri-o.userns-mode`` (its server/sandbox_status.go and sandbox_run_linux.go). The specification of
    their sandbox has an entry for it.
    """
    if options is not None and options.HasField("userns_options"):
        return MODES.get(options.userns_options.mode)
    made = any(entry.kind is NamespaceKind.USER for entry in namespaces or ())
    return NamespaceMode.POD if made else None


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
