"""The sandboxes of a node as plain values: what ``pausewatch inspect -o json`` prints."""

from collections.abc import Sequence

from pausewatch.model.sandbox import Sandbox
from pausewatch.model.view import NodeView
from pausewatch.sinks.inspection import (
    ContainerFacts,
    NamespaceFacts,
    ProcessFacts,
    SandboxFacts,
    ZombieFacts,
    inspection,
)
from pausewatch.sinks.report import Object, known, time_text


def inspect_object(node: NodeView, sandboxes: Sequence[Sandbox]) -> Object:
    """Return the facts about some sandboxes, in the order given; what is unknown is left out."""
    return {
        "nodeName": node.snapshot.node_name,
        "time": time_text(node.snapshot.taken_at),
        "sandboxes": [_sandbox_object(facts) for facts in inspection(node, sandboxes)],
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
            "addresses": list(details.addresses) if details else [],
            "addressesInside": list(facts.addresses_inside),
            "networkFaults": list(facts.network_faults),
            "runtimeType": details.runtime_type if details else "",
            "runtimeHandler": details.runtime_handler if details else "",
            "image": details.image if details else "",
            "pause": _process_object(facts.pause),
            "noPause": facts.no_pause,
            "reaper": facts.reaper,
            "holds": list(facts.held),
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
            "pidOne": facts.pid_one,
            "linuxNamespaces": [_namespace_object(one) for one in facts.namespaces],
            "zombies": _zombies_object(facts.zombies),
            "notJudged": facts.not_judged,
        }
    )


def _process_object(process: ProcessFacts | None) -> Object:
    return known({"pid": process.pid, "name": process.name}) if process else {}


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
