from pathlib import Path

import pytest

from cli.running import a_recording, run
from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from support.builders import a_snapshot

MISSING = AccessFact(
    name="namespace-links",
    granted=False,
    detail="CAP_SYS_PTRACE is not in effect",
    lost="whose the zombies are",
    remedy="run as root",
)


def test_tells_what_is_lost_and_how_to_get_it(tmp_path: Path) -> None:
    """A missing permission is no failure of the doctor."""
    told = run("doctor", "--from", a_recording(tmp_path / "node.json", a_snapshot(access=(MISSING,))))

    assert (told.code, told.stderr) == (0, "")
    assert all(text in told.stdout for text in (MISSING.name, MISSING.detail, MISSING.lost, MISSING.remedy))


def test_unreachable_runtime_is_told_after_the_facts(tmp_path: Path) -> None:
    """Scripts can ask whether a scan would work at all."""
    gone = Unavailable(reason="SocketMissing", detail="no socket", remedy="start the runtime")
    told = run("doctor", "--from", a_recording(tmp_path / "node.json", a_snapshot(sandboxes=gone, access=(MISSING,))))

    assert told.code == 1
    assert MISSING.detail in told.stdout
    assert told.error == "cannot scan: no socket; start the runtime"


@pytest.mark.usefixtures("runtime")
def test_looks_at_this_node(socket: str) -> None:
    """Without a recording it tells about the process that runs it."""
    told = run("doctor", "--runtime-endpoint", f"unix://{socket}")

    assert (told.code, told.stderr) == (0, "")
    assert f"unix://{socket} answers" in told.stdout
    assert "/proc shows" in told.stdout


@pytest.mark.usefixtures("runtime")
def test_without_a_cluster_nobody_is_asked(socket: str, tmp_path: Path) -> None:
    """That is no failure of a node without one, and is said."""
    told = run("doctor", "--runtime-endpoint", f"unix://{socket}", HOME=str(tmp_path))

    assert told.code == 0
    assert "not asked  the API server" in told.stdout
    assert "api-server" not in told.stdout


@pytest.mark.usefixtures("runtime")
def test_kubeconfig_that_is_named_has_to_work(socket: str, tmp_path: Path) -> None:
    """It is told with what is lost; what the node shows stands above as ever."""
    missing = str(tmp_path / "agent.kubeconfig")
    told = run("doctor", "--runtime-endpoint", f"unix://{socket}", "--kubeconfig", missing)

    assert told.code == 0
    assert "MISSING  api-server: " in told.stdout
    assert missing in told.stdout
    assert "not asked" not in told.stdout
    assert "ok       root: user 0\n" in told.stdout or "root: user " in told.stdout


def test_recording_asks_nobody(tmp_path: Path) -> None:
    """What a node saw then, and nothing about here."""
    told = run("doctor", "--from", a_recording(tmp_path / "node.json", a_snapshot(access=(MISSING,))))

    assert "api-server" not in told.stdout
    assert "not asked" not in told.stdout
