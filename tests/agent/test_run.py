"""The agent put together, without a cluster and without a container runtime: what it still does."""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cli.running import COMMAND, environment, finish


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """Return the environment of an agent whose runtime and API server are not there."""
    return {
        "KUBECONFIG": str(tmp_path / "missing.kubeconfig"),
        "PAUSEWATCH_RUNTIME_ENDPOINT": f"unix://{tmp_path}/missing.sock",
        "PAUSEWATCH_NODE_NAME": "node-7",
        "PAUSEWATCH_LISTEN_ADDRESS": "127.0.0.1:0",
    }


def test_agent_ends_on_sigterm_and_names_what_it_lacks(alone: dict[str, str]) -> None:
    """Before its first scan, too."""
    process = agent(alone)
    lines = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if "the report is not written" in line:
            break
    process.send_signal(signal.SIGTERM)
    ended = finish(process)

    log = "".join(lines) + ended.stderr
    assert ended.code == 0
    assert "starts on node node-7" in log
    assert "missing.kubeconfig: No such file or directory" in log
    assert "Traceback" not in log


def test_pages_answer_before_the_first_scan(alone: dict[str, str]) -> None:
    """A kubelet that asks early learns why it has to wait."""
    process = agent(alone)
    assert process.stderr is not None
    address = next(line.split(" http://")[1].split("/")[0] for line in process.stderr if " http://" in line)

    assert get(f"http://{address}/healthz")[0] == 200
    status, text = get(f"http://{address}/readyz")
    assert status == 503
    assert json.loads(text)["reasons"] == ["no scan has been completed yet"]
    assert "pausewatch_scans_total 0.0" in get(f"http://{address}/metrics")[1]

    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 0


def agent(variables: dict[str, str]) -> "subprocess.Popen[str]":
    """Start the agent; what it logs is to be read from standard error."""
    return subprocess.Popen([*COMMAND, "agent"], stderr=subprocess.PIPE, text=True, env=environment(**variables))


def get(url: str) -> tuple[int, str]:
    """Return status and text of a page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
