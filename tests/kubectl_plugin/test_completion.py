from pathlib import Path

import pytest

from kubectl_plugin.answers import kubectl
from pausewatch.kubectl_plugin.completion import candidates, main
from pausewatch.kubectl_plugin.main import plugin

NAMES = {
    "get --context=prod podsandboxreports": "prod-1   True\n",
    "get podsandboxreports": "node-1   True   NoFindings\nnode-2   False   ZombieBuildup\nother   True\n",
    "get pods --namespace=team-a": "web-x   2/2   Running\n",
    "get pods": "queue   1/1   Running\n",
    "get namespaces": "team-a   Active\nteam-b   Active\n",
}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ([""], ["node", "nodes", "pod"]),
        (["nod"], ["node", "nodes"]),
        (["node", "no"], ["node-1", "node-2"]),
        (["node", "--context", "prod", ""], ["prod-1"]),
        (["pod", "-n", "team-a", ""], ["web-x"]),
        (["pod", ""], ["queue"]),
        (["pod", "-n", "team-"], ["team-a", "team-b"]),
        (["nodes", "--fail-on", "cr"], ["critical"]),
        (["-o", "ya"], ["yaml"]),
    ],
    ids=str,
)
def test_what_may_come_next_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], offered: list[str]
) -> None:
    """Commands, options and names, of the cluster that is meant."""
    kubectl(tmp_path, NAMES)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert sorted(candidates(plugin, typed)) == offered


def test_cluster_that_does_not_answer_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message would be taken for a name."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert candidates(plugin, ["node", ""]) == []


def test_answer_ends_with_what_the_shell_is_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No files, as cobra says it."""
    monkeypatch.setattr("sys.argv", ["kubectl_complete-pausewatch", "po"])
    main()

    assert capsys.readouterr().out == "pod\n:4\n"
