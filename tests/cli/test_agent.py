import socket

from cli.running import finish, run, start


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
