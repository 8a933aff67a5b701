"""The facts about sandboxes, for programs."""

import json

from pausewatch.model.snapshot import Snapshot
from pausewatch.sinks.inspection_object import inspect_object
from pausewatch.sinks.report import Object
from support.builders import a_snapshot
from support.changes import with_first_process, with_network, with_zombies
from support.inspected import inspected_sandboxes
from support.parts import HOST_LINKS, WEB_APP_ID, WEB_SANDBOX_ID, WEB_SIDE_PID


def object_of(snapshot: Snapshot) -> Object:
    """Return all sandboxes of a node as plain values."""
    return inspect_object(snapshot, inspected_sandboxes(snapshot))


def test_the_object_holds_the_same_facts() -> None:
    """Whole ids; what is unknown is left out."""
    snapshot = with_first_process(with_zombies(a_snapshot(), 3, WEB_SIDE_PID), WEB_APP_ID, network=HOST_LINKS.network)
    rendered = object_of(snapshot)
    web = rendered["sandboxes"][0]
    app, side = web["containers"]

    assert json.loads(json.dumps(rendered)) == rendered
    assert (rendered["nodeName"], rendered["time"]) == ("node-7", "2026-11-21T09:14:03Z")
    assert [one["name"] for one in rendered["sandboxes"]] == ["web-x", "shared-y"]
    assert web["sandboxID"] == WEB_SANDBOX_ID
    assert web["pause"] == {
        "pid": 2301,
        "name": "pause",
        "ageSeconds": 861_699,
        "residentBytes": 137 * 4096,
        "cpuPercent": 0,
    }
    assert web["holds"] == ["net:[4026532301]", "ipc:[4026532302]", "uts:[4026532303]", "pid:[4026532304]"]
    assert not {"noPause", "notJudged", "runtimeHandler", "zombies"} & web.keys()
    assert app["linuxNamespaces"][0] == {
        "kind": "network",
        "link": "net:[4026531840]",
        "verdict": "Wrong",
        "owner": "the node",
        "expected": "net:[4026532301] of the sandbox",
    }
    assert (app["role"], app["pidOne"]) == ("PID 1, has to reap", "2311 app")
    assert side["zombies"] == {"count": 3, "parents": ["2321 side (PID 1 of the container)"]}
    assert side["attempt"] == 0


def test_the_same_node_gives_the_same_object() -> None:
    """Whatever the order in which the runtime lists things."""
    assert object_of(a_snapshot()) == object_of(a_snapshot())


def test_findings_stand_with_their_sandbox() -> None:
    """What is found, and what to type; a healthy one has no such field."""
    web, shared = object_of(with_first_process(a_snapshot(), WEB_APP_ID, network=HOST_LINKS.network))["sandboxes"]

    (finding,) = web["findings"]
    assert (finding["reason"], finding["severity"], finding["container"]) == ("HostNamespaceJoined", "Critical", "app")
    assert finding["nextCommands"][0]["runOn"] == "node"
    assert not {"findings", "notSureYet"} & shared.keys()


def test_a_broken_network() -> None:
    """What is inside, and each difference from what the runtime reports."""
    broken = with_network(a_snapshot(), WEB_SANDBOX_ID, addresses=("10.9.9.9",))
    web, shared = object_of(broken)["sandboxes"]

    assert (web["addresses"], web["addressesInside"]) == (["10.200.0.3"], ["10.9.9.9"])
    assert web["networkFaults"] == ["10.200.0.3 is not inside"]
    assert "networkFaults" not in shared
