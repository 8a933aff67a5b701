"""What people run today to learn parts of the same, each as a function that runs it once and returns its CPU time."""

import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from bench.measure import others_cpu, program_cpu
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

LOOP = Path(__file__).with_name("typed_loop.sh")
START_SECONDS = 20.0
SCRAPE_SECONDS = 10.0

COUNT_ZOMBIES = program_cpu(("sh", "-c", "ps -eo pid,ppid,stat | awk '$3 ~ /^Z/ { count++ } END { print count + 0 }'"))
"""Runs ps, and awk that counts the zombies in what it prints; returns the CPU milliseconds of both."""


def typed_loop(lab: RuntimeLab, ids: Sequence[str]) -> Callable[[], float]:
    """Return a function that asks the runtime for each id's pid, reads its links, and returns the CPU milliseconds.

    Args:
        lab: Whose runtime.
        ids: Of sandboxes and containers.
    """
    return program_cpu(["sh", str(LOOP), str(lab.programs.bin / "ctr"), str(lab.places.socket), *ids])


@contextmanager
def node_exporter(program: Path) -> Iterator[Callable[[], float]]:
    """Run node_exporter with its collector of processes alone.

    Gives a function that scrapes it once and returns the CPU milliseconds that it spent meanwhile.
    """
    address = f"127.0.0.1:{_free_port()}"
    options = ("--collector.disable-defaults", "--collector.processes", f"--web.listen-address={address}")
    command = (str(program), *options)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until("node_exporter to answer", lambda: _answers(address), START_SECONDS)
        yield others_cpu(process.pid, lambda: _scrape(address))
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(address: str) -> bool:
    try:
        _scrape(address)
    except OSError:
        return False
    return True


def _scrape(address: str) -> None:
    """Raise RuntimeError if the page does not tell of processes."""
    # A proxy for web pages is none for this machine.
    with build_opener(ProxyHandler({})).open(f"http://{address}/metrics", timeout=SCRAPE_SECONDS) as answer:
        if b"node_processes_pids" not in answer.read():
            raise RuntimeError("node_exporter does not tell of processes: see its --collector.processes")
