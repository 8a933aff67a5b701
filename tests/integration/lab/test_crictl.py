"""The stand-in for crictl: what people type on a node reaches the runtime and is answered as they know it."""

import json
from pathlib import Path

import pytest

from integration.support.by_hand import pid_by_ctr
from integration.support.program import Program, installed
from lab.pins import PAUSE_IMAGE
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab


@pytest.fixture
def node(lab: RuntimeLab, tmp_path: Path) -> Program:
    """A shell on the lab's node."""
    return installed(tmp_path, lab)


def refused(node: Program, *arguments: str) -> str:
    """What crictl complains of when it refuses a command line."""
    crictl = node.directory / "crictl"
    return node.shell(f"set +e; {crictl} {' '.join(arguments)} 2>&1; test $? -eq 1")


def test_lists(lab: RuntimeLab, node: Program) -> None:
    """Pods and ps list what runs; filters narrow it down; -q prints whole ids."""
    web = lab.run(Pod("web", containers=(Container("app"), Container("side"))))
    lab.run(Pod("other", namespace="elsewhere"))

    assert node.shell("crictl pods --name '^web$' --namespace lab --state Ready -q").split() == [web.sandbox_id]
    assert node.shell("crictl pods --state notready -q") == ""
    assert set(node.shell(f"crictl ps --pod {web.sandbox_id} -q").split()) == set(web.container_ids.values())
    head, *rows = node.shell("crictl pods").splitlines()
    assert head.split() == ["POD", "ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"]
    assert [row.split()[3:5] for row in rows] == [["other", "elsewhere"], ["web", "lab"]]
    head, row = node.shell(f"crictl ps --pod {web.sandbox_id[:13]} --name app").splitlines()
    assert row.split()[0] == web.container_ids["app"][:13]
    assert row.split()[-1] == "web"


def test_statuses(lab: RuntimeLab, node: Program) -> None:
    """Inspectp and inspect print JSON with the CRI's status and what the runtime adds, pids among it."""
    web = lab.run(Pod("web"))
    app = web.container_ids["app"]

    sandbox = json.loads(node.shell(f"crictl inspectp {web.sandbox_id[:13]}"))
    container = json.loads(node.shell(f"crictl inspect {app}"))

    assert sandbox["status"]["state"] == "SANDBOX_READY"
    assert sandbox["status"]["network"]["ip"] == web.address()
    assert sandbox["info"]["pid"] == pid_by_ctr(lab, web.sandbox_id)
    assert container["status"]["state"] == "CONTAINER_RUNNING"
    assert container["info"]["pid"] == pid_by_ctr(lab, app)
    assert json.loads(node.shell("crictl info"))["status"]["conditions"][0]["type"] == "RuntimeReady"
    assert "RuntimeName:  containerd" in node.shell("crictl version")


def test_sandbox_is_stopped_and_removed(lab: RuntimeLab, node: Program) -> None:
    """A ready sandbox is removed only after it was stopped, or with -f."""
    web, other = lab.run(Pod("web")), lab.run(Pod("other"))

    assert "is running, please stop it first" in refused(node, "rmp", web.sandbox_id)
    assert node.shell(f"crictl stopp {web.sandbox_id}") == f"Stopped sandbox {web.sandbox_id}\n"
    assert node.shell("crictl pods --state notready -q").split() == [web.sandbox_id]
    assert node.shell(f"crictl rmp {web.sandbox_id}") == f"Removed sandbox {web.sandbox_id}\n"
    node.shell(f"crictl rmp -f {other.sandbox_id}")
    assert lab.client.sandboxes() == []


def test_container_is_stopped_and_removed(lab: RuntimeLab, node: Program) -> None:
    """The same for a container; ps without -a leaves out what has ended."""
    web = lab.run(Pod("web", containers=(Container("app"), Container("side"))))
    app, side = web.container_ids["app"], web.container_ids["side"]

    assert "is running, please stop it first" in refused(node, "rm", app)
    assert node.shell(f"crictl stop -t 0 {app}") == f"{app}\n"
    assert node.shell("crictl ps -q").split() == [side]
    assert set(node.shell("crictl ps -a -q").split()) == {app, side}
    node.shell(f"crictl rm {app} && crictl rm -f {side}")
    assert lab.client.containers() == []


def test_images(lab: RuntimeLab, node: Program) -> None:
    """Images lists names with their ids and, on request, whether they are pinned; rmi removes one."""
    name, _, tag = PAUSE_IMAGE.rpartition(":")
    head, row = node.shell(f"crictl images --pinned {name}").splitlines()
    assert head.split() == ["IMAGE", "TAG", "IMAGE", "ID", "SIZE", "PINNED"]
    assert row.split()[:2] == [name, tag]
    status = json.loads(node.shell(f"crictl inspecti {PAUSE_IMAGE}"))["status"]
    assert status["repoTags"] == [PAUSE_IMAGE]
    assert row.split()[-1] == str(status["pinned"]).lower()

    assert node.shell(f"crictl rmi {PAUSE_IMAGE}") == f"Deleted: {PAUSE_IMAGE}\n"
    assert not lab.client.has_image(PAUSE_IMAGE)
    assert f'no such image \\"{PAUSE_IMAGE}\\" present' in refused(node, "inspecti", PAUSE_IMAGE)
    assert "level=fatal" in refused(node, "pull", "localhost/nowhere:1")


@pytest.mark.parametrize(
    "arguments",
    [
        ("pods", "--nmae", "x"),
        ("inspectp", "0" * 64),
        ("inspect", "0" * 64),
        ("rm", "0" * 64),
        ("rmp",),
        ("frobnicate",),
    ],
    ids=" ".join,
)
def test_refusal(node: Program, arguments: tuple[str, ...]) -> None:
    """An unknown flag, id or subcommand ends with 1 and a message: nobody takes it for done."""
    assert "level=fatal" in refused(node, *arguments)


def test_unreachable_runtime(node: Program) -> None:
    """The endpoint can be named on the command line; nobody there is an error."""
    assert "level=fatal" in refused(node, "-r", "unix:///nowhere.sock", "pods")
