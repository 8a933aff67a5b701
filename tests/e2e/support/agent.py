"""The agent as the process that its container runs, and what one can ask of it from outside."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pausewatch
from e2e.support.exposition import Exposition
from e2e.support.pace import Pace
from lab.shapes.cluster_node import ClusterNode
from lab.waiting import wait_until
from support.image_environment import image_variables

T = TypeVar("T")

START_SECONDS = 60.0
"""A start takes three; most of it is work, of which a busy machine does little."""
END_SECONDS = 5.0
"""From SIGTERM to the end; a kubelet kills after 30 s, and a DaemonSet's update waits for each node in turn."""

PAGE_SECONDS = 5.0
"""Longest that a test waits for a page."""

PAUSE_SECONDS = 0.1
"""Between two questions to the agent or with kubectl: asked as often as possible they would slow down what they ask."""

LONGEST_LOG = 20_000
"""Characters of a log that are shown when a test fails: its end."""


@dataclass(frozen=True)
class Page:
    """An answer of the agent over HTTP."""

    status: int
    text: str
    seconds: float
    """From the request to the last byte."""


@dataclass(frozen=True)
class Agent:
    """One run of ``pausewatch agent``.

    Attributes:
        process: Of the agent.
        log_file: What it writes.
        pace: How fast it works.
        environment: Its whole environment.
        node: What it runs on.
    """

    process: "subprocess.Popen[bytes]"
    log_file: Path
    pace: Pace
    environment: Mapping[str, str]
    node: ClusterNode

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_file.read_text(encoding="utf-8")

    def log_line(self, *words: str, limit_seconds: float = START_SECONDS) -> str:
        """Wait for a line of the log that holds all of the words, and return it.

        Raises:
            WaitTimeoutError: None came within the limit.
        """

        def probe() -> str:
            return next((line for line in self.log.splitlines() if all(word in line for word in words)), "")

        return self.wait(f"a line of the agent's log with {' and '.join(words)}", probe, limit_seconds)

    def wait(self, what: str, probe: Callable[[], T | None], limit_seconds: float) -> T:
        """Wait as `lab.waiting.wait_until` does, but no longer than the agent lives; longer on a node that is slow.

        Raises:
            WaitTimeoutError: The limit was reached.
            AssertionError: The agent has ended.
        """

        def unless_dead() -> T | None:
            assert self.process.poll() is None, f"the agent ended with {self.process.returncode}, waiting for {what}"
            answer = probe()
            if not answer:
                time.sleep(PAUSE_SECONDS)
            return answer

        return wait_until(what, unless_dead, limit_seconds * self.node.slowness)

    def page(self, path: str) -> Page:
        """Get a page, within 5 s on a node that is not slow.

        Raises:
            OSError: No answer in time.
        """
        # A proxy for web pages is none for this machine.
        opener = build_opener(ProxyHandler({}))
        began = time.monotonic()
        try:
            with opener.open(f"{self.address()}{path}", timeout=PAGE_SECONDS * self.node.slowness) as answer:
                text = answer.read().decode()
                return Page(answer.status, text, time.monotonic() - began)
        except HTTPError as error:
            with error:
                return Page(error.code, error.read().decode(), time.monotonic() - began)

    def metrics(self) -> Exposition:
        """Scrape it.

        Raises:
            AssertionError: The answer is no success.
        """
        page = self.page("/metrics")
        assert page.status == 200, page
        return Exposition(page.text)

    def scans(self) -> int:
        """How many scans it has completed."""
        return int(self.readiness()["scans"])

    def await_scans(self, more: int) -> None:
        """Wait for so many scans more than there are now."""
        target = self.scans() + more
        limit_seconds = (more + 2) * self.pace.scan_period_seconds + START_SECONDS
        self.wait(f"scan {target}", lambda: self.scans() >= target, limit_seconds)

    def readiness(self) -> dict[str, Any]:
        """What ``/readyz`` says, whatever its status."""
        document: dict[str, Any] = json.loads(self.page("/readyz").text)
        return document

    def troubles(self) -> dict[str, str]:
        """What the agent lacks now, as ``/readyz`` tells it: reasons by source."""
        return {name: trouble["reason"] for name, trouble in self.readiness()["troubles"].items()}

    def resident_mib(self) -> float:
        """How much memory it takes now (proc(5): VmRSS)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))

    def stop(self) -> float:
        """End it with SIGTERM, and return the seconds that took.

        Raises:
            AssertionError: It took longer than 5 s, on a node that is not slow, or did not end well.
        """
        limit_seconds = END_SECONDS * self.node.slowness
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the agent did not end within {limit_seconds:g} s of SIGTERM") from None
        assert code == 0, f"the agent ended with {code} after SIGTERM"
        return time.monotonic() - began

    def run_scan(self) -> dict[str, Any]:
        """Run ``pausewatch scan`` on the same node with the same settings, and return the object it prints."""
        command = [self.node.python, "-m", "pausewatch", "scan", "--output=json"]
        environment = {name: value for name, value in self.environment.items() if name != "KUBECONFIG"}
        process = self.node.popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            told, complaint = process.communicate(timeout=30 * self.node.slowness)
        finally:
            process.kill()
        assert process.returncode == 0, complaint.decode()
        document: dict[str, Any] = json.loads(told)
        return document

    def address(self) -> str:
        """Where its pages are, ``http://HOST:PORT``; waits for its log to say so."""
        found = re.search(r"http://\S+:\d+(?=/metrics)", self.log_line("/metrics"))
        assert found, "the agent's log does not tell where its pages are"
        return found[0]


@contextmanager
def running_agent(
    node: ClusterNode, kubeconfig: Path, log_file: Path, pace: Pace, variables: Mapping[str, str]
) -> Iterator[Agent]:
    """Run the agent for a node; in the end it has to stop on SIGTERM, and its log is printed.

    Args:
        node: The cluster, for its first node, or a further one.
        kubeconfig: How it reaches the API server; need not be right, nor exist.
        log_file: Where its log goes.
        pace: How fast it works.
        variables: Settings that are about no time, as environment variables.
    """
    print(f"overridden settings of the agent: {dict(pace.overrides) or 'none'}")  # noqa: T201  shown with a failure
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(node.bring(Path(pausewatch.__file__).parents[1])),
        "PYTHONUNBUFFERED": "1",
        **image_variables(),
        "KUBECONFIG": str(node.bring(kubeconfig) if kubeconfig.exists() else kubeconfig),
        "PAUSEWATCH_RUNTIME_ENDPOINT": node.runtime.endpoint,
        "PAUSEWATCH_NODE_NAME": node.node_name,
        "PAUSEWATCH_LISTEN_ADDRESS": f"{node.address}:0",
        **pace.overrides,
        **variables,
    }
    with log_file.open("wb") as log:
        command = [node.python, "-m", "pausewatch", "agent"]
        process = node.popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    agent = Agent(process, log_file, pace, environment, node)
    try:
        yield agent
        if process.poll() is None:
            agent.stop()
        assert "Traceback" not in agent.log, "the agent's log holds a trace"
    finally:
        process.kill()
        process.wait()
        print(f"log of the agent:\n{agent.log[-LONGEST_LOG:]}")  # noqa: T201  the same
