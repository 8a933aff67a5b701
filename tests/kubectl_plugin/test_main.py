import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from kubectl_plugin.answers import CRITICAL, kubectl, node, page, pod, run, stored
from pausewatch.kubectl_plugin.main import plugin
from support.parts import TAKEN_AT
from support.reports import a_finding

NODES = page(node("node-7", "True"))
NO_REPORT = 'Error from server (NotFound): podsandboxreports.pausewatch.github.io "node-7" not found'


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return a folder with a kubectl that knows a node with a critical finding about a pod."""
    report = stored(taken_at=datetime.now(UTC), findings=(CRITICAL,))
    answers = {
        "podsandboxreports?": page(report),
        "podsandboxreports/node-7": json.dumps(report),
        "/nodes?": NODES,
        "get pod ": json.dumps(pod()),
        "get pods --all-namespaces": page(pod(), pod(namespace="team-b")),
    }
    kubectl(tmp_path, answers)
    return tmp_path


@pytest.mark.parametrize("arguments", [(), ("nodes",), ("node",), ("pod",)])
def test_help_has_examples_and_fits_80_columns(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Help is read on the smallest terminal, in an incident."""
    told = run(tmp_path, *arguments, "--help")

    assert told.code == 0
    assert "    kubectl pausewatch " in told.stdout
    assert max(len(line) for line in told.stdout.splitlines()) <= 80


@pytest.mark.parametrize("arguments", [(), ("-A",), ("nodes",), ("--context", "prod", "-o", "wide")])
def test_nodes_are_what_is_shown_unless_asked_otherwise(broken: Path, arguments: tuple[str, ...]) -> None:
    """The command need not be named, options or not."""
    told = run(broken, *arguments)

    assert (told.code, told.stderr) == (0, "")
    assert told.stdout.splitlines()[1].startswith("node-7  NOT HEALTHY  1 ")


def test_node_and_pod_are_shown(broken: Path) -> None:
    """As tables and as objects."""
    assert run(broken, "node", "node-7").stdout.startswith("node-7: 1 critical")
    assert run(broken, "pod", "web-x", "-n", "team-a").stdout.startswith("team-a/web-x  Running on node-7\n")
    assert yaml.safe_load(run(broken, "node", "node-7", "-o", "yaml").stdout)["kind"] == "PodSandboxReport"
    assert json.loads(run(broken, "pod", "web-x", "-o", "json").stdout)["findings"][0]["reason"] == "NamespaceNotShared"
    assert json.loads(run(broken, "-o", "json").stdout)["nodes"][0]["verdict"] == "NotHealthy"


@pytest.mark.parametrize("command", [("nodes",), ("node", "node-7"), ("pod", "web-x")], ids=str)
def test_finding_ends_with_10_where_asked(broken: Path, command: tuple[str, ...]) -> None:
    """So that a script need not read."""
    assert run(broken, *command, "--fail-on", "critical").code == 10
    assert run(broken, *command, "--require-complete").code == 0


def test_lesser_finding_does_not(tmp_path: Path) -> None:
    """And what is about other namespaces does not count with -n."""
    report = stored(taken_at=datetime.now(UTC), findings=(a_finding(),))
    kubectl(tmp_path, {"podsandboxreports?": page(report), "/node-7": json.dumps(report), "/nodes?": NODES})

    assert run(tmp_path, "nodes", "--fail-on", "critical").code == 0
    assert run(tmp_path, "node", "node-7", "--fail-on", "warning").code == 10
    assert run(tmp_path, "node", "node-7", "--fail-on", "warning", "-n", "team-z").code == 0


def test_what_is_not_known_ends_with_11_where_asked(tmp_path: Path) -> None:
    """A stale report, a node without one, Nodes that may not be listed."""
    old = stored(taken_at=TAKEN_AT)
    kubectl(tmp_path, {"podsandboxreports?": page(old), "/node-7": json.dumps(old), "/nodes?": NODES})
    assert run(tmp_path, "nodes").code == 0
    assert run(tmp_path, "nodes", "--require-complete").code == 11
    assert run(tmp_path, "node", "node-7", "--require-complete").code == 11

    kubectl(tmp_path, {"podsandboxreports?": page(), "/nodes?": NODES})
    told = run(tmp_path, "nodes", "--require-complete")
    assert told.code == 11
    assert "NO REPORT" in told.stdout

    kubectl(tmp_path, {"podsandboxreports?": page()}, {"/nodes?": "Error from server (Forbidden): nodes"})
    assert run(tmp_path, "nodes", "--require-complete").code == 11


def test_node_or_pod_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In one line, with the next step."""
    refusals = {"/node-7": NO_REPORT, "get pod ": 'Error from server (NotFound): pods "web" not found'}
    kubectl(tmp_path, {"get pods --all-namespaces": page()}, refusals)

    assert run(tmp_path, "node", "node-7").error.startswith("there is no report of node 'node-7'")
    further = "; -A looks in all; what a pod that is gone has left on its node is shown by: kubectl pausewatch nodes"
    assert f"there is no pod 'web' in the namespace of the context{further}" in run(tmp_path, "pod", "web").error
    assert f"there is no pod 'web' in namespace 'shop'{further}" in run(tmp_path, "pod", "shop/web").error
    assert run(tmp_path, "pod", "web", "-A").error.startswith("there is no pod 'web' in any namespace; what a pod that")
    assert run(tmp_path, "node", "node-7").code == 1


def test_pod_on_a_node_without_report_is_shown(tmp_path: Path) -> None:
    """What is expected is known all the same."""
    kubectl(tmp_path, {"get pod ": json.dumps(pod())}, {"/node-7": NO_REPORT})

    told = run(tmp_path, "pod", "web-x")
    assert told.code == 0
    assert "not known: there is no report of node-7" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("ndoes",), "No such command 'ndoes'. (Did you mean one of: 'node', 'nodes'?); see kubectl pausewatch --help"),
        (("nodes", "-A", "-n", "x"), "give one of them; see kubectl pausewatch nodes --help"),
        (("pod", "web", "-A", "-n", "x"), "give one of them; see kubectl pausewatch pod --help"),
        (
            ("pod", "a/web", "-n", "b"),
            "a/web names a namespace already: leave out -n and -A; see kubectl pausewatch pod --help",
        ),
        (("pod", "a/web", "-A"), "leave out -n and -A; see kubectl pausewatch pod --help"),
        (("node",), "Missing argument 'NODE'; see kubectl pausewatch node --help"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    """What is wrong, and where to read more."""
    told = run(tmp_path, *arguments)

    assert told.code == 2
    assert told.error.endswith(why)


def test_pod_is_named_as_findings_name_it(tmp_path: Path) -> None:
    """With its namespace in front, once or by -n as well."""
    kubectl(tmp_path, {"get pod --namespace=team-a ": json.dumps(pod())}, {"/node-7": NO_REPORT})

    for typed in (("team-a/web-x",), ("team-a/web-x", "-n", "team-a"), ("web-x", "-n", "team-a")):
        assert run(tmp_path, "pod", *typed).stdout.startswith("team-a/web-x  Running on node-7\n")


def test_name_in_several_namespaces_asks_to_choose(broken: Path) -> None:
    """Guessing would show the wrong pod."""
    assert (
        "several namespaces have a pod 'web-x': team-a, team-b; choose with -n"
        in run(broken, "pod", "web-x", "-A").error
    )


def test_commands_are_those_that_the_design_promises() -> None:
    """A fleet, a node, a pod."""
    assert list(plugin.commands) == ["nodes", "node", "pod"]
