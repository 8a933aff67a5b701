"""The program as people and scripts use it: exit codes, formats, watching, recording and replaying, inspecting."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.support.by_hand import LINKS, readlink
from integration.support.program import Program
from lab import faults
from lab.faults import Kind
from lab.pins import BUSYBOX_IMAGE
from lab.pods import Container, Pod, RunningPod
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

#: A scan that waits for a runtime that hangs ends soon after the time limit of one call.
HANGING_SECONDS = 10.0

Object = dict[str, Any]


def test_healthy_node_ends_with_0(lab: RuntimeLab, program: Program) -> None:
    """Nothing is found, whatever --fail-on asks for."""
    lab.run(Pod("web", containers=(Container("app"), Container("side"))))

    shown = program.run("scan", "--fail-on", "info")

    assert shown.startswith("lab-node: healthy. containerd ")
    assert " passed, 0 failed, " in shown.splitlines()[-1]


def test_finding_decides_the_exit_code_only_where_asked(lab: RuntimeLab, program: Program) -> None:
    """A critical finding ends a scan with 0, with --fail-on critical with 10."""
    torn_pod(lab)

    assert "NamespaceNotShared" in program.run("scan")
    assert "NamespaceNotShared" in program.run("scan", "--fail-on", "critical", expect=10)


def test_lesser_finding_does_not_fail_for_a_greater_bound(lab: RuntimeLab, program: Program) -> None:
    """What is only information fails with --fail-on info, and not with --fail-on warning."""
    faults.network_unshared(lab)

    program.run("scan", "--fail-on", "warning")
    assert "ProcessMovedItself" in program.run("scan", "--fail-on", "info", expect=10)


def test_skipped_check_ends_with_11_where_asked(lab: RuntimeLab, program: Program) -> None:
    """Without an API server some checks can not judge: --require-complete insists, and the table says why."""
    lab.run(Pod("web"))

    shown = program.run("scan", "--require-complete", expect=11)

    assert "orphaned-sandbox, sandbox-create-failing, sandbox-stuck-terminating: no API server" in shown


def test_missing_runtime_ends_with_1(program: Program, tmp_path: Path) -> None:
    """One line says what was tried and what to do."""
    nowhere = tmp_path / "no.sock"

    line = program.complaint("scan", "--runtime-endpoint", f"unix://{nowhere}", expect=1)

    assert line.startswith("pausewatch: cannot scan: ")
    assert str(nowhere) in line


def test_hanging_runtime_ends_with_1_in_time(lab: RuntimeLab, program: Program) -> None:
    """One line again, soon; afterwards a scan is what it was."""
    lab.run(Pod("patient"))
    with faults.hanging_runtime(lab):
        began = time.monotonic()
        line = program.complaint("scan", expect=1)
        assert time.monotonic() - began < HANGING_SECONDS

    assert "did not answer" in line
    assert "healthy" in program.run("scan")


def test_json_and_yaml_are_one_object(lab: RuntimeLab, program: Program) -> None:
    """Both parse, hold the same, and name the pod, the container and what readlink prints."""
    torn = torn_pod(lab)
    recorded = record(program)

    as_json = json.loads(program.run("scan", "--from", recorded, "-o", "json"))
    as_yaml = yaml.safe_load(program.run("scan", "--from", recorded, "-o", "yaml"))
    live = json.loads(program.run("scan", "-o", "json"))

    assert as_json == as_yaml
    assert told(as_json) == told(live)
    (finding,) = live["status"]["findings"]
    assert finding["pod"] == {"namespace": "team-a", "name": "torn", "uid": torn.uid}
    assert finding["container"] == "app"
    assert readlink(torn.pid(), "network") in json.dumps(finding["evidence"])
    assert readlink(torn.pause_pid(), "network") in json.dumps(finding["evidence"])


def test_watch_tells_what_appears_and_clears(lab: RuntimeLab, program: Program) -> None:
    """In a pipe there is one line per change; Ctrl-C ends it with 130."""
    running = lab.run(Pod("torn", namespace="team-a"))
    with program.follow("scan", "--watch", "--interval", "0.2") as watching:
        watching.line_with("watching lab-node")
        torn = faults.namespace_path_dropped(lab, running, "app", "network")
        watching.line_with("appeared Critical NamespaceNotShared", "team-a/torn/app")
        faults.heal_container(lab, torn, "app")
        watching.line_with("cleared Critical NamespaceNotShared", "team-a/torn/app")


def test_watch_outlives_a_hanging_runtime(lab: RuntimeLab, program: Program) -> None:
    """It says once that it can not scan, and once that it can again."""
    lab.run(Pod("patient"))
    with program.within(PAUSEWATCH_RUNTIME_TIMEOUT_SECONDS="0.3").follow(
        "scan", "--watch", "--interval", "0.2"
    ) as watching:
        watching.line_with("watching lab-node")
        with faults.hanging_runtime(lab):
            watching.line_with("cannot scan", "did not answer")
        watching.line_with("scanning again")


def test_recording_is_judged_elsewhere_as_here(lab: RuntimeLab, program: Program) -> None:
    """A machine that has none of it finds the same: ids, reasons, severities and messages."""
    torn_pod(lab)
    faults.zombies(lab, 16)
    recorded = record(program)
    here = json.loads(program.run("scan", "--from", recorded, "-o", "json"))
    lab.remove_all_pods()

    there = json.loads(program.elsewhere().run("scan", "--from", recorded, "-o", "json"))

    assert sorted(reason for _, reason, _, _ in told(there)) == ["NamespaceNotShared", "ZombieBuildup"]
    assert told(there) == told(here)
    inspected = program.elsewhere().run("inspect", "team-a/torn", "--from", recorded)
    assert "WRONG" in inspected


def test_recording_holds_no_secrets(lab: RuntimeLab, program: Program) -> None:
    """No command line, label, annotation, registry or host name is in the bytes of the file."""
    image = "registry.example.com:5000/team-secret/shop/busybox:7"
    lab.ctr("images", "tag", BUSYBOX_IMAGE, image)
    command = ("sh", "-c", "sleep 1000000; echo --password=command-secret")
    pod = Pod(
        "web",
        containers=(Container(command=command, image=image),),
        labels={"owner": "label-secret"},
        annotations={"note": "annotation-secret"},
    )
    try:
        running = lab.run(pod)
        command_line = Path(f"/proc/{running.pid()}/cmdline")
        wait_until("the program to be started", lambda: "command-secret" in command_line.read_text(), 5)
        recorded = record(program.within(PAUSEWATCH_NODE_NAME="node-secret.example.com"))
    finally:
        lab.remove_all_pods()
        lab.ctr("images", "remove", image)

    content = Path(recorded).read_text()
    assert '"web"' in content, "the names of pods stay"
    assert "busybox:7" in content, "and so does the last part of an image's name"
    assert "secret" not in content
    assert "example.com" not in content
    assert socket.gethostname() not in content


def test_recording_with_pseudonyms_names_nobody(lab: RuntimeLab, program: Program) -> None:
    """With --redact-names the findings are the same, of pods that are called otherwise."""
    torn_pod(lab)
    recorded = record(program, "--redact-names")

    content = Path(recorded).read_text()
    assert "team-a" not in content
    assert "torn" not in content
    found = told(json.loads(program.run("scan", "--from", recorded, "-o", "json")))
    assert [(reason, severity) for _, reason, severity, _ in found] == [("NamespaceNotShared", "Critical")]


def test_inspect_shows_the_wrong_namespace(lab: RuntimeLab, program: Program) -> None:
    """It is called WRONG, with both numbers that readlink prints, and what to type stands above the tree."""
    torn = torn_pod(lab)
    lab.run(Pod("sound", namespace="team-a"))

    shown = program.run("inspect", "team-a/torn")
    (wrong,) = [line for line in shown.splitlines() if "WRONG network" in line]
    assert readlink(torn.pid(), "network") in wrong
    assert readlink(torn.pause_pid(), "network") in wrong
    assert "network WRONG   ipc shared  uts shared  pid own     user host" in shown
    assert "network shared  ipc shared  uts shared  pid own     user host" in shown
    assert shown.index("CRITICAL  NamespaceNotShared") < shown.index(f"readlink /proc/{torn.pid()}/ns/net")
    assert f"pause  {torn.pause_pid()} pause  " in shown
    wide = program.run("inspect", "team-a/torn", "-o", "wide")
    assert all(readlink(torn.pid("side"), kind) in wide for kind in LINKS)
    assert [line for line in program.run("inspect", "--problem").splitlines() if line.startswith("team-a/")] == [
        "team-a/torn"
    ]


def test_inspect_watches_a_pod_break_and_heal(lab: RuntimeLab, program: Program) -> None:
    """In a pipe there is one page per change."""
    running = lab.run(Pod("torn", namespace="team-a"))
    with program.follow("inspect", "torn", "--watch", "--interval", "0.2") as watching:
        watching.line_with("network shared")
        torn = faults.namespace_path_dropped(lab, running, "app", "network")
        watching.line_with("network WRONG")
        watching.line_with("1 with findings")
        faults.heal_container(lab, torn, "app")
        wait_until("a page without it", lambda: "; no findings" in after("1 with findings", watching.output), 60.0)


@pytest.mark.parametrize("share_pid", [False, True], ids=["own PID", "shared PID"])
def test_inspect_shows_what_readlink_shows(lab: RuntimeLab, program: Program, share_pid: bool) -> None:  # noqa: FBT001
    """All four namespaces of a healthy pod's container, their verdict, and who is PID 1."""
    running = lab.run(Pod("web", share_pid=share_pid))

    (sandbox,) = inspected(program, "web")
    (container,) = sandbox["containers"]

    found = {one["kind"]: (one["link"], one["verdict"]) for one in container["linuxNamespaces"]}
    kinds: list[Kind] = ["network", "ipc", "uts"]
    assert {kind: found[kind] for kind in kinds} == {
        kind: (readlink(running.pause_pid(), kind), "SharedWithSandbox") for kind in kinds
    }
    assert found["pid"] == (readlink(running.pid(), "pid"), "SharedWithSandbox" if share_pid else "Own")
    assert container["pidOne"].split()[0].rstrip(",") == str(running.pause_pid() if share_pid else running.pid())


def test_inspect_of_an_unknown_pod_names_the_near_one(lab: RuntimeLab, program: Program) -> None:
    """A misspelt name ends with 1 and one line."""
    lab.run(Pod("checkout", namespace="team-a"))

    line = program.complaint("inspect", "team-a/chekout", expect=1)

    assert "did you mean team-a/checkout?" in line


def test_doctor_misses_nothing_here(lab: RuntimeLab, program: Program) -> None:
    """As root beside the runtime, everything is granted; without a runtime it ends with 1."""
    lab.run(Pod("web"))

    assert ", 0 missing" in program.run("doctor")
    missing = program.run("doctor", "--runtime-endpoint", "unix:///run/none.sock", expect=1)
    assert "MISSING  runtime-socket" in missing


def after(words: str, file: Path) -> str:
    """What a file holds behind the last place of some words."""
    return file.read_text().rpartition(words)[2]


def torn_pod(lab: RuntimeLab) -> RunningPod:
    """Make a pod of two containers, of which "app" is in a network namespace of its own."""
    running = lab.run(Pod("torn", namespace="team-a", containers=(Container("app"), Container("side"))))
    return faults.namespace_path_dropped(lab, running, "app", "network")


def record(program: Program, *arguments: str) -> str:
    """Record the lab's node, and return the path of the file."""
    path = str(program.directory / "recording.json")
    program.run("record", *arguments, path)
    return path


def told(report: Object) -> list[tuple[str, ...]]:
    """What a report says: id, reason, severity and message of each finding."""
    return [tuple(one[key] for key in ("id", "reason", "severity", "message")) for one in report["status"]["findings"]]


def inspected(program: Program, pod: str) -> list[Object]:
    """What inspect tells about the sandboxes of a pod, as an object."""
    document = json.loads(program.run("inspect", pod, "-o", "json"))
    sandboxes: list[Object] = document["sandboxes"]
    return sandboxes
