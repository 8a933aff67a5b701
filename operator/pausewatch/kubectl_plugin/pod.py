"""One pod: what it asked for, what that makes expected, and what its node's report found.

What is expected follows the pod's specification (k8s.io/api/core/v1, PodSpec; Kubernetes: Share Process Namespace
between Containers in a Pod; User Namespaces). The agent judges by what the runtime was told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from pausewatch.kubectl_plugin.node import stale_line
from pausewatch.kubectl_plugin.stored import StoredReport, clean
from pausewatch.model.report import Finding
from pausewatch.sinks.page import Line, Page, labelled, words
from pausewatch.sinks.report import Object, known
from pausewatch.sinks.terminal import ago, counted, explained, finding_lines

MIRROR = "kubernetes.io/config.mirror"
"""Annotation of the mirror pod of a static one: the uid that kubelet and runtime know (kubelet:
pkg/kubelet/types/pod_update.go, ConfigMirrorAnnotationKey)."""

ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPod:
    """What a pod asks for, as far as its sandbox is concerned."""

    namespace: str
    name: str
    uid: str
    """As the kubelet and the reports know it: for a static pod the hash of its manifest."""

    node: str
    """Empty until it is scheduled."""

    phase: str
    host_network: bool
    host_ipc: bool
    host_pid: bool
    share_process_namespace: bool
    own_users: bool
    """``hostUsers: false``."""

    runtime_class: str
    targets: tuple[tuple[str, str], ...]
    """Ephemeral containers and the container whose processes each is to see."""


def asked(pod: Mapping[str, Any]) -> AskedPod:
    """Return what an object of the API asks for."""
    metadata, spec, status = (_object(pod.get(name)) for name in ("metadata", "spec", "status"))
    mirrored = _object(metadata.get("annotations")).get(MIRROR)
    ephemeral = spec.get("ephemeralContainers")
    return AskedPod(
        namespace=clean(metadata.get("namespace")),
        name=clean(metadata.get("name")),
        uid=clean(mirrored or metadata.get("uid")),
        node=clean(spec.get("nodeName")),
        phase=clean(status.get("phase")),
        host_network=spec.get("hostNetwork") is True,
        host_ipc=spec.get("hostIPC") is True,
        host_pid=spec.get("hostPID") is True,
        share_process_namespace=spec.get("shareProcessNamespace") is True,
        own_users=spec.get("hostUsers") is False,
        runtime_class=clean(spec.get("runtimeClassName")),
        targets=tuple(
            (clean(one.get("name")), clean(one.get("targetContainerName")))
            for one in (ephemeral if isinstance(ephemeral, list) else ())
            if isinstance(one, dict) and one.get("targetContainerName")
        ),
    )


def expectations(pod: AskedPod) -> Iterator[tuple[str, str]]:
    """Yield each kind of Linux namespace, and whose the containers are to be in."""
    of_pod = "one for all containers of the pod"
    yield "network", "the node's (hostNetwork)" if pod.host_network else f"{of_pod}, with the pod's address"
    yield "ipc", "the node's (hostIPC)" if pod.host_ipc else of_pod
    yield "uts", "the node's with containerd, the pod's with CRI-O (hostNetwork)" if pod.host_network else of_pod
    if pod.host_pid:
        yield "pid", "the node's (hostPID)"
    elif pod.share_process_namespace:
        yield "pid", f"{of_pod} (shareProcessNamespace): pause is PID 1 and reaps orphans"
    else:
        yield "pid", "each container its own: its first process is PID 1 and has to reap orphans"
    yield "user", "one of the pod's own (hostUsers: false)" if pod.own_users else "the node's"
    for name, target in pod.targets:
        yield name, f"the PID namespace of {target} (ephemeral container)"


def about(pod: AskedPod, report: StoredReport) -> list[Finding]:
    """Return the findings about a pod, and about an earlier one of its name, whose remains may be in its way."""
    mine = (pod.namespace, pod.name)
    return [one for one in report.findings if (one.subject.namespace, one.subject.pod) == mine]


def pod_page(pod: AskedPod, report: StoredReport | None, now: datetime, *, wide: bool = False) -> Page:
    """Return what is known of a pod.

    Args:
        pod: What it asks for.
        report: Of its node; None where there is none.
        now: When it was read.
        wide: With all evidence and commands.
    """
    where = f"on {pod.node}" if pod.node else "on no node yet"
    lines = [Line(text=words((f"{pod.namespace}/{pod.name}", "bold"), f"  {pod.phase} {where}"))]
    lines.append(Line(text=words(("expected:", "dim"))))
    lines += labelled(((kind, Text(text)) for kind, text in expectations(pod)), level=1)
    if pod.runtime_class:
        text = f"{pod.runtime_class}: if its processes are not the node's (gVisor, Kata), the pod is not compared"
        lines += labelled((("class", Text(text)),), level=1)
    findings = [] if report is None else about(pod, report)
    lines += [Line(text=words(("found:", "dim")))] if not findings else []
    if report is None:
        lines.append(Line(text=Text(_unreported(pod)), level=1))
    else:
        lines += stale_line(report, now)
        lines += _found(pod, report, findings, now, wide=wide)
    lines.append(Line(text=Text()))
    lines.append(Line(text=words(("look closer:", "dim"))))
    lines += [Line(text=Text(one), level=1, wraps=False) for one in _commands(pod)]
    lines += explained(findings, wide=wide)
    return Page(tuple(lines))


def pod_object(pod: AskedPod, report: StoredReport | None, stored: Object | None, now: datetime) -> Object:
    """Return the same facts for programs; findings are as they are stored."""
    mine = {one.id for one in about(pod, report)} if report is not None else set()
    findings = (stored or {}).get("status", {}).get("findings") or []
    return {
        "pod": known({"namespace": pod.namespace, "name": pod.name, "uid": pod.uid, "phase": pod.phase}),
        **known({"node": pod.node, "runtimeClass": pod.runtime_class}),
        "expected": dict(expectations(pod)),
        "report": "None" if report is None else "Stale" if report.is_stale(now) else "Current",
        "findings": [one for one in findings if clean(one.get("id")) in mine],
    }


def _found(
    pod: AskedPod, report: StoredReport, findings: list[Finding], now: datetime, *, wide: bool
) -> Iterator[Line]:
    if not findings:
        told = f"nothing, in the report of {report.node}"
        when = f" ({ago(report.written_at, now)})" if report.written_at else ""
        yield Line(text=Text(f"{told}{when}"), level=1)
        if report.truncated:
            text = f"{counted(report.truncated, 'finding')} did not fit into it: pausewatch scan on the node shows all"
            yield Line(text=Text(text), level=1)
        if report.skipped_checks:
            names = ", ".join(check for check, _ in report.skipped_checks)
            yield Line(text=Text(f"not judged there: {names}"), level=1)
    for finding in findings:
        yield Line(text=Text())
        yield from finding_lines(finding, now, wide=wide)
        if finding.subject.uid not in ("", pod.uid):
            yield Line(text=Text(f"it is about an earlier pod of this name, uid {finding.subject.uid}"), level=1)


def _unreported(pod: AskedPod) -> str:
    if not pod.node:
        return "nothing: no node has it yet"
    if pod.phase in ENDED:
        return f"nothing: it has ended, and there is no report of {pod.node}"
    return f"not known: there is no report of {pod.node}; see kubectl pausewatch node {pod.node}"


def _commands(pod: AskedPod) -> Iterator[str]:
    yield f"kubectl events -n {pod.namespace} --for pod/{pod.name}"
    if pod.node:
        yield f"kubectl pausewatch node {pod.node}"
        yield f"sudo pausewatch inspect {pod.namespace}/{pod.name}    # on {pod.node}"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
