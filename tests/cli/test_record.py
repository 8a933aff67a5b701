import stat
from pathlib import Path

import pytest

from cli.running import run
from pausewatch.recording import parse, read

pytestmark = pytest.mark.usefixtures("runtime")


def record(socket: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line that records the runtime of a test, quickly."""
    return ("record", *arguments, "--runtime-endpoint", socket)


QUICK = {"PAUSEWATCH_LOOK_INTERVAL_SECONDS": "0.1", "PAUSEWATCH_NODE_NAME": "secret-host-9"}


def test_two_looks_are_kept_without_the_nodes_name(socket: str, tmp_path: Path) -> None:
    """The file is private and redacted without a flag, and judged like the node."""
    path = tmp_path / "node.json"
    told = run(*record(socket, str(path)), **QUICK)

    assert (told.code, told.stdout, told.error) == (0, "", f"recorded 0 sandboxes in {path}")
    assert [look.node_name for look in read(path)] == ["node", "node"]
    assert b"secret-host-9" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run("scan", "--from", str(path)).code == 0


def test_dash_is_standard_output_and_input(socket: str) -> None:
    """A pod with a read-only file system can be recorded through kubectl exec."""
    recorded = run(*record(socket, "-"), **QUICK).stdout

    assert len(parse(recorded)) == 2
    assert run("scan", "--from", "-", stdin=recorded).code == 0


def test_flags_decide_how_much_is_told(socket: str) -> None:
    """More or less than the usual, but not both."""
    unredacted = run(*record(socket, "-", "--unredacted"), **QUICK).stdout
    pseudonyms = run(*record(socket, "-", "--redact-names"), **QUICK).stdout

    assert {look.node_name for look in parse(unredacted)} == {"secret-host-9"}
    assert '"name": "process-1"' in pseudonyms
    both = run(*record(socket, "-", "--redact-names", "--unredacted"))
    assert both.code == 2
    assert both.error.startswith("--redact-names and --unredacted contradict each other")


def test_unwritable_file_is_told(socket: str, tmp_path: Path) -> None:
    """One line with the path and what to do."""
    told = run(*record(socket, str(tmp_path / "gone" / "node.json")), **QUICK)

    assert told.code == 1
    assert told.error == f"can not write {tmp_path}/gone/node.json: No such file or directory; write to another path"


def test_unreachable_runtime_is_recorded(tmp_path: Path) -> None:
    """Whoever helps can see from the file why nothing can be seen."""
    path = tmp_path / "node.json"
    told = run("record", str(path), "--runtime-endpoint", str(tmp_path / "none"))

    assert told.code == 0
    assert told.error.startswith(
        f"recorded, but the container runtime was not reached: there is no socket at {tmp_path}"
    )
    assert run("scan", "--from", str(path)).error.startswith(f"cannot scan: there is no socket at {tmp_path}")
