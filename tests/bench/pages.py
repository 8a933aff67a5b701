"""Asks an agent's pages as a kubelet and a Prometheus do: ``python -m bench.pages http://HOST:PORT SECONDS``.

With 0 seconds it only waits for the end of the next scan. A process of its own, so that it can be where a kubelet is:
in the Linux network namespace of the node.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from urllib.request import ProxyHandler, Request, build_opener

from e2e.support.exposition import Exposition
from lab.waiting import wait_until

ASKED_EVERY_SECONDS = {"/readyz": 5, "/healthz": 30, "/metrics": 30}
"""The probes as charts/pausewatch/templates/daemonset.yaml has them, and Prometheus Operator's usual interval."""

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
"""As Prometheus asks; the chart's probes do not care."""

LIMIT_SECONDS = 30.0

SCAN_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesSeen:
    """What the pages said, and how long they took."""

    answers: int
    slowest_seconds: float
    scans: int
    """Ended while the pages were asked."""

    slowest_scan_seconds: float
    """Of those scans that were the last one at a scrape."""


def ask_pages(address: str, seconds: float, inside_network_of: int | None = None) -> PagesSeen:
    """Ask the pages for so many seconds.

    Args:
        address: ``http://HOST:PORT``.
        seconds: How long; at least the longest of the intervals.
        inside_network_of: A process in whose Linux network namespace to do it; None: in ours.

    Raises:
        CalledProcessError: A page answered with an error, or not within 30 s.
    """
    return PagesSeen(**json.loads(_printed(address, seconds, inside_network_of)))


def await_scan(address: str, inside_network_of: int | None = None) -> None:
    """Return when a scan has just ended; arguments and errors as for ``ask_pages``."""
    _printed(address, 0, inside_network_of)


def _printed(address: str, seconds: float, inside_network_of: int | None) -> bytes:
    entrance = () if inside_network_of is None else ("nsenter", f"--target={inside_network_of}", "--net")
    command = (*entrance, sys.executable, "-m", "bench.pages", address, str(seconds))
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout


def _ask_here(address: str, seconds: float) -> PagesSeen:
    slowest, answers = 0.0, 0
    scrapes: list[Exposition] = [Exposition(_get(address, "/metrics")[0])]
    for path in _paced(seconds):
        text, taken = _get(address, path)
        slowest, answers = max(slowest, taken), answers + 1
        if path == "/metrics":
            scrapes.append(Exposition(text))
    counts = [scrape.total("pausewatch_scans_total") for scrape in scrapes]
    return PagesSeen(
        answers=answers,
        slowest_seconds=slowest,
        scans=int(counts[-1] - counts[0]),
        slowest_scan_seconds=max(one.total("pausewatch_last_scan_duration_seconds") for one in scrapes),
    )


def _await_scan_here(address: str) -> None:
    def scans() -> float:
        return Exposition(_get(address, "/metrics")[0]).total("pausewatch_scans_total")

    before = scans()
    wait_until("the next scan to end", lambda: scans() > before, SCAN_SECONDS)


def _paced(seconds: float) -> Iterator[str]:
    """Yield each path when its time has come, for so long; the last ones at the end."""
    began = time.monotonic()
    due = dict(ASKED_EVERY_SECONDS)
    while (path := min(due, key=lambda one: due[one])) and due[path] <= seconds:
        time.sleep(max(0.0, began + due[path] - time.monotonic()))
        due[path] += ASKED_EVERY_SECONDS[path]
        yield path


def _get(address: str, path: str) -> tuple[str, float]:
    """Ask by a connection of its own, as a kubelet does; returns the text and how many seconds that took."""
    began = time.perf_counter()
    # A proxy for web pages is none for this machine.
    request = Request(f"{address}{path}", headers={"Accept": ACCEPT, "Connection": "close"})  # noqa: S310  http
    with build_opener(ProxyHandler({})).open(request, timeout=LIMIT_SECONDS) as answer:
        return answer.read().decode(), time.perf_counter() - began


def main(arguments: Sequence[str]) -> None:
    """Print what was seen, as JSON; of a wait for a scan nothing."""
    address, seconds = arguments
    if float(seconds):
        sys.stdout.write(json.dumps(asdict(_ask_here(address, float(seconds)))))
    else:
        _await_scan_here(address)


if __name__ == "__main__":
    main(sys.argv[1:])
