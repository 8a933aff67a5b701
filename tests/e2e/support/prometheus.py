"""A real Prometheus with the scrape configuration and the rules of the chart, so much faster that a test can wait.

It is told where the agents are, with the labels that Kubernetes' discovery would give them: the agents of the tests are
no pods, and Debian's Prometheus is built without that discovery. Everything else of the scrape configuration is as it
is. In the rules a minute is a second.
"""

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import yaml

from lab.build.cache import ensure
from lab.build.debian import debian_package
from lab.waiting import wait_until

FILES = Path(__file__).parents[3] / "charts" / "pausewatch" / "files"
RULES = FILES / "alerts.yaml"
SCRAPE_CONFIG = FILES / "scrape-config.yaml"

START_SECONDS = 60.0
END_SECONDS = 20.0
ANSWER_SECONDS = 10.0
LONGEST_LOG = 5_000

Series = dict[str, str]
"""The labels of one."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An agent, or where one should be."""

    port: int
    node: str

    @property
    def discovered(self) -> Mapping[str, str]:
        """What Kubernetes' discovery says of the agent's pod."""
        return {
            "__meta_kubernetes_namespace": "pausewatch",
            "__meta_kubernetes_pod_name": f"pausewatch-{self.node}",
            "__meta_kubernetes_pod_node_name": self.node,
            "__meta_kubernetes_pod_container_port_name": "metrics",
        }


@dataclass(frozen=True)
class Prometheus:
    """A running one."""

    address: str

    def query(self, expression: str) -> list[Series]:
        """Evaluate an expression now, and return the series of its answer.

        Raises:
            AssertionError: Prometheus does not understand it.
        """
        answer = self.get(f"query?{urlencode({'query': expression})}")
        assert answer["status"] == "success", f"{expression}: {answer}"
        return [one["metric"] for one in answer["data"]["result"]]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that fire or are about to, as Alertmanager would get them."""
        found: list[dict[str, Any]] = self.get("alerts")["data"]["alerts"]
        return found

    def troubles(self) -> Mapping[str, str]:
        """Return why the last scrape failed, by node; empty where it did not."""
        targets = self.get("targets")["data"]["activeTargets"]
        return {one["labels"]["node"]: one["lastError"] for one in targets}

    def get(self, path: str) -> dict[str, Any]:
        """Ask its API, also for what it refuses.

        Raises:
            OSError: No answer.
        """
        # A proxy for web pages is none for this machine.
        opener = build_opener(ProxyHandler({}))
        try:
            with opener.open(f"http://{self.address}/api/v1/{path}", timeout=ANSWER_SECONDS) as answer:
                document: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            with error:
                document = json.load(error)
        return document


@contextmanager
def running_prometheus(folder: Path, targets: tuple[Target, ...]) -> Iterator[Prometheus]:
    """Run one that scrapes the targets every second; its log is printed in the end.

    Args:
        folder: For its configuration, data and log.
        targets: Which need not answer yet.
    """
    program = ensure(debian_package("prometheus")) / "usr/bin/prometheus"
    address = f"127.0.0.1:{free_port()}"
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(_configuration(folder, targets)))
    (folder / "rules.yaml").write_text(in_seconds(RULES.read_text()))
    options = (f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *options, f"--web.listen-address={address}"], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    prometheus = Prometheus(address)

    def is_up() -> bool:
        assert process.poll() is None, f"Prometheus ended with {process.returncode}"
        try:
            with build_opener(ProxyHandler({})).open(f"http://{address}/-/ready", timeout=ANSWER_SECONDS):
                return True
        except (URLError, ConnectionError):
            return False  # it does not listen yet, or tells that it is not ready

    try:
        wait_until("Prometheus to answer", is_up, START_SECONDS)
        yield prometheus
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        finally:
            process.kill()
            process.wait()
            print(f"log of Prometheus:\n{(folder / 'prometheus.log').read_text()[-LONGEST_LOG:]}")  # noqa: T201  shown with a failure


def in_seconds(rules: str) -> str:
    """Return rules in which each minute is a second: how long a thing must last, and how far back is looked."""
    return re.sub(r"(?<=[ \[])(\d+)m\b", r"\1s", rules)


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _configuration(folder: Path, targets: tuple[Target, ...]) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(SCRAPE_CONFIG.read_text())
    (job,) = document["scrape_configs"]
    del job["kubernetes_sd_configs"]
    job["static_configs"] = [
        {"targets": [f"127.0.0.1:{target.port}"], "labels": dict(target.discovered)} for target in targets
    ]
    often = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    return {**document, "global": often, "rule_files": [str(folder / "rules.yaml")]}
