import json
from pathlib import Path

import pytest

from kubectl_plugin.answers import kubectl, node, page, pod, stored
from pausewatch.cli.errors import CliError
from pausewatch.kubectl_plugin.kubectl import Kubectl, NotFoundError


def asking(folder: Path, answers: dict[str, str] | None = None, refusals: dict[str, str] | None = None) -> Kubectl:
    """Return what asks the program in a folder."""
    return Kubectl(program=str(kubectl(folder, answers or {}, refusals)))


def test_pages_are_read_until_there_is_none(tmp_path: Path) -> None:
    """Each with the token of the one before."""
    answers = {"continue=a%2Bb": page(stored("node-2")), "limit=500": page(stored("node-1"), following="a+b")}
    pages = list(asking(tmp_path, answers).report_pages())

    assert [[one["metadata"]["name"] for one in each] for each in pages] == [["node-1"], ["node-2"]]


def test_context_and_kubeconfig_are_handed_on(tmp_path: Path) -> None:
    """Behind the verb, where kubectl takes them; a name of a node is one part of the path."""
    program = kubectl(tmp_path, {" get --context=prod --kubeconfig=/k --raw=/apis/": "{}"})

    assert Kubectl(context="prod", kubeconfig="/k", program=str(program)).report("a/../b") == {}


def test_nodes_are_told_with_their_state(tmp_path: Path) -> None:
    """As kubectl calls it; a control character in a name reaches nobody."""
    first = page(node("node-1", "True"), node("node-2\x1b", "False"), following="more")
    answers = {"continue=more": page(node("node-3", "Unknown"), node("node-4", "")), "/api/v1/nodes?limit=500": first}

    assert asking(tmp_path, answers).node_states() == {
        "node-1": "Ready",
        "node-2\\x1b": "NotReady",
        "node-3": "NotReady",
        "node-4": "Unknown",
    }


def test_pods_of_all_namespaces_or_of_one(tmp_path: Path) -> None:
    """A name that looks like an option is a name."""
    answers = {"--field-selector=metadata.name=web": page(pod("web")), " -- --all ": json.dumps(pod("--all"))}
    asked = asking(tmp_path, answers)

    assert len(asked.pods("web", "", everywhere=True)) == 1
    assert asked.pods("--all", "team-a", everywhere=False)[0]["metadata"]["name"] == "--all"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Error from server (NotFound): the server could not find the requested resource", "install pausewatch there"),
        (
            'Error from server (Forbidden): podsandboxreports is forbidden: User "me" cannot list',
            "ClusterRole for view",
        ),
        ('Error from server (Forbidden): pods "web" is forbidden: User "me" cannot get', "ask for this right those"),
        ('error: context "nope" does not exist', "; `kubectl config get-contexts` lists those that do"),
        ("Error from server (Expired): The provided continue parameter is too old", "try again"),
        (
            "E1121 the server was refused\nsecond line \x1b[2J",
            "second line \\x1b[2J; see whether `kubectl get psr` works",
        ),
    ],
)
def test_what_kubectl_says_is_told_with_the_next_step(tmp_path: Path, said: str, told: str) -> None:
    """In one line, without its control characters."""
    with pytest.raises(CliError) as raised:
        asking(tmp_path, refusals={"--raw": said}).get_raw("/x")

    assert told in str(raised.value)
    assert str(raised.value).isprintable()


def test_missing_object_is_an_error_of_its_own(tmp_path: Path) -> None:
    """A node without a report is news, not a failure to read."""
    said = 'Error from server (NotFound): podsandboxreports.pausewatch.github.io "node-9" not found'

    with pytest.raises(NotFoundError):
        asking(tmp_path, refusals={"node-9": said}).report("node-9")


def test_missing_program_is_told() -> None:
    """With what to do."""
    with pytest.raises(
        CliError, match=r"cannot run /nowhere/kubectl: No such file.*; install kubectl, or add it to PATH"
    ):
        Kubectl(program="/nowhere/kubectl").get_raw("/x")


def test_other_than_json_is_told(tmp_path: Path) -> None:
    """A wrapper that prints a greeting first."""
    with pytest.raises(CliError, match=r"printed no JSON"):
        asking(tmp_path, {"--raw": "hello"}).get_raw("/x")
