import socket
from pathlib import Path

from cli.running import finish, run, start
from pausewatch.settings import Flags, load


def test_node_must_be_named_in_a_pod() -> None:
    """The host name there is the pod's, and the report would be of a node that does not exist."""
    told = run("agent", KUBERNETES_SERVICE_HOST="10.96.0.1", KUBECONFIG="", NODE_NAME="")

    assert told.code == 2
    assert "set NODE_NAME from the field spec.nodeName" in told.error


def test_wrong_address_is_told() -> None:
    """With what is allowed."""
    told = run("agent", "--listen", "7287")

    assert told.code == 2
    assert told.error == "--listen: '7287' is no host:port; allowed: a port from 0 to 65535 after an optional host"


def test_address_in_use_is_told() -> None:
    """An agent without its pages can not be watched over, so it ends."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = start("agent", "--listen", f"127.0.0.1:{other.getsockname()[1]}", "--node-name", "node-7")
        told = finish(process)

    assert told.code == 1
    last = told.stderr.splitlines()[-1]
    assert last.startswith("pausewatch: cannot serve 127.0.0.1:")
    assert last.endswith("choose another one with --listen")


def test_settings_are_printed_with_nothing_there(tmp_path: Path) -> None:
    """No node, no runtime, no API server, no rights: what would be in force is known all the same, and nothing runs."""
    given = tmp_path / "given.yaml"
    given.write_text("{scanPeriodSeconds: 10, ignore: [{pod: web-x}]}")
    nowhere = {"KUBERNETES_SERVICE_HOST": "192.0.2.1", "KUBECONFIG": str(tmp_path / "missing"), "NODE_NAME": ""}

    told = run("agent", "--print-settings", "--settings", str(given), "--set", "zombie-buildup.zombies=33", **nowhere)

    assert (told.code, told.stderr) == (0, "")
    again = tmp_path / "again.yaml"
    again.write_text(told.stdout)
    settings = load(Flags(settings_file=again), {}).settings
    assert (settings.scan_period_seconds, settings.ignore[0].pod) == (10, "web-x")
    assert settings.thresholds["zombie-buildup"]["zombies"] == 33


def test_wrong_settings_are_told_instead_of_printed() -> None:
    """All at once, as by the agent itself."""
    told = run("agent", "--print-settings", "--set", "zombie-buildup.zombies=0")

    assert (told.code, told.stdout) == (2, "")
    assert told.error == "--set zombie-buildup.zombies=0: '0' is out of bounds; allowed: 1 or more (processes)"
