import json
import subprocess
import sys
from typing import Any

from pausewatch.sources.network.deep_probe import CHILD
from sources.procfs.living import running

INSIDE = (
    "ip link set lo up; ip link add eth0 type veth peer name eth1; ip address add 10.1.0.7/24 dev eth0;"
    " ip link set eth0 up; ip link set eth1 up; ip link add down0 type veth peer name down1; echo ready; read x"
)


def probe(*files: str, seconds: int = 5) -> "subprocess.CompletedProcess[bytes]":
    """Run the program as the deep probe does."""
    child = [sys.executable, "-I", str(CHILD), str(seconds), *files]
    return subprocess.run(child, capture_output=True, env={}, timeout=20, check=False)


def answers(*files: str) -> list[dict[str, Any]]:
    """Return what it prints."""
    done = probe(*files)
    assert (done.returncode, done.stderr) == (0, b"")
    printed: list[dict[str, Any]] = json.loads(done.stdout)
    return printed


def test_interfaces_of_a_namespace() -> None:
    """Which are up, and their addresses; loopback among them."""
    with running("unshare", "--net", "sh", "-c", INSIDE) as process:
        (inside,) = answers(f"/proc/{process.pid}/ns/net")

    assert set(inside) == {"lo", "eth0", "eth1", "down0", "down1"}
    assert {name for name, one in inside.items() if one["up"]} == {"lo", "eth0", "eth1"}
    assert "10.1.0.7" in inside["eth0"]["addresses"]
    assert "127.0.0.1" in inside["lo"]["addresses"]


def test_several_namespaces_one_after_the_other() -> None:
    """Each is left again before the next, also after one that could not be entered."""
    with running("unshare", "--net", "sh", "-c", INSIDE) as process:
        inside = f"/proc/{process.pid}/ns/net"
        first, none, other, last = answers(inside, "/nowhere", "/proc/self/ns/net", inside)

    assert none == {"error": 2}
    assert first == last
    assert "eth0" not in other or other != first


def test_file_that_is_no_network_namespace() -> None:
    """The kernel refuses it."""
    (answer,) = answers("/proc/self/exe")

    assert answer == {"error": 22}


def test_its_time_is_limited_by_the_kernel(tmp_path: object) -> None:
    """It ends by itself also where nobody waits for it any more: here it hangs on a pipe that nobody writes."""
    pipe = f"{tmp_path}/pipe"
    subprocess.run(["mkfifo", pipe], check=True)

    assert probe(pipe, seconds=1).returncode == -14
