"""The sandboxes of a node as plain values: what ``pausewatch inspect -o json`` prints."""

from collections.abc import Iterable

from pausewatch.model.linux_namespace import namespace_text
from pausewatch.model.report import Finding
from pausewatch.model.snapshot import Snapshot
from pausewatch.sinks.inspection import ContainerFacts, ProcessFacts, SandboxFacts, ZombieFacts
from pausewatch.sinks.inspection_namespaces import NamespaceFacts
from pausewatch.sinks.report import Object, known, time_text


def inspect_object(snapshot: Snapshot, inspected: Iterable[SandboxFacts]) -> Object:
    """Return the facts about some sandboxes of a node, in the order given; what is unknown is left out."""
    return {
        "nodeName": snapshot.node_name,
        "time": time_text(snapshot.taken_at),
        "sandboxes": [_sandbox_object(facts) for facts in inspected],
    }


def _sandbox_object(facts: SandboxFacts) -> Object:
    sandbox, details = facts.sandbox, facts.details
    return known(
        {
            "namespace": sandbox.namespace,
            "name": sandbox.name,
            "uid": sandbox.uid,
            "sandboxID": sandbox.id,
            "attempt": sandbox.attempt,
            "state": sandbox.state.value,
            "createdTime": time_text(facts.created_at),
            "findings": [_finding_object(one) for one in facts.findings],
            "notSureYet": [_finding_object(one.finding) for one in facts.suspicions],
            "addresses": list(details.addresses) if details else [],
            "addressesInside": list(facts.addresses_inside),
            "interfacesUp": list(facts.links_up),
            "networkFaults": list(facts.network_faults),
            "runtimeType": details.runtime_type if details else "",
            "runtimeHandler": details.runtime_handler if details else "",
            "image": details.image if details else "",
            "pause": _pause_object(facts),
            "noPause": facts.no_pause,
            "reaper": facts.reaper,
            "holds": [namespace_text(kind, inode) for kind, inode in facts.held],
            "zombies": _zombies_object(facts.zombies),
            "notJudged": facts.not_comparable,
        }
    ) | {"containers": [_container_object(one) for one in facts.containers]}


def _container_object(facts: ContainerFacts) -> Object:
    container = facts.container
    return known(
        {
            "name": container.name,
            "containerID": container.id,
            "attempt": container.attempt,
            "state": container.state.value,
            "image": container.image,
            "process": _process_object(facts.first),
            "role": facts.role,
            "pidOne": facts.pid_one,
            "linuxNamespaces": [_namespace_object(one) for one in facts.namespaces],
            "zombies": _zombies_object(facts.zombies),
            "notJudged": facts.not_judged,
        }
    )


def _pause_object(facts: SandboxFacts) -> Object:
    usage = facts.pause_usage
    measured = {"residentBytes": usage.resident_bytes, "cpuPercent": round(usage.cpu_percent, 1)} if usage else {}
    return _process_object(facts.pause) | measured


def _finding_object(finding: Finding) -> Object:
    return known(
        {
            "check": finding.check,
            "reason": finding.reason,
            "severity": finding.severity.value,
            "container": finding.subject.container,
            "message": finding.message,
            "nextCommands": [{"runOn": one.run_on.value, "command": one.command} for one in finding.next_commands],
        }
    )


def _process_object(process: ProcessFacts | None) -> Object:
    """Return a process; its age is what changes between two looks at an unchanged node."""
    if process is None:
        return {}
    return known({"pid": process.pid, "name": process.name, "ageSeconds": int(process.age_seconds)})


def _namespace_object(facts: NamespaceFacts) -> Object:
    return known(
        {
            "kind": facts.kind.value,
            "link": facts.link,
            "verdict": facts.verdict.value,
            "owner": facts.owner,
            "expected": facts.expected,
            "notJudged": facts.not_judged,
        }
    )


def _zombies_object(facts: ZombieFacts | None) -> Object:
    return {"count": facts.count, "parents": list(facts.parents)} if facts else {}
