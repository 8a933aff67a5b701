"""The agent on a real cluster: started as a process, with the rights that its manifests grant and no others.

A cluster that cannot start is an error of the test that wanted it, never a reason to skip it.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import pytest

from e2e.soak.table import SOAK
from e2e.support.agent import Agent, running_agent
from e2e.support.installation import agent_kubeconfig, install
from e2e.support.pace import DEFAULT, FAST, Pace
from e2e.support.request_table import TABLE
from e2e.support.workloads import remove_what_makes_pods
from lab import faults
from lab.naming import lab_name
from lab.shapes import cluster as clusters
from lab.shapes import nested_node as nested_nodes
from lab.shapes import vm_node as vm_nodes
from lab.shapes.cluster import Cluster
from lab.shapes.cluster_node import ClusterNode
from lab.shapes.nested_node import NestedNode
from lab.shapes.vm_node import VmNode
from support.shared_node import LIMIT_SECONDS, node

__all__ = ["node"]

OVERRIDDEN = "overridden settings"

NONE: Mapping[str, str] = MappingProxyType({})

StartAgent: TypeAlias = Callable[..., Agent]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the lab by what it asks for, so that nobody has to remember."""
    for item in items:
        if isinstance(item, pytest.Function) and "running_cluster" in item.fixturenames:
            item.add_marker(pytest.mark.lab)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LIMIT_SECONDS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what the agents asked of the API server, and in which tests one did not run with its defaults."""
    told: dict[str, list[str]] = {}
    tables: dict[str, list[str]] = {}
    for report in (one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)):
        test = report.nodeid.rpartition("/")[2]
        for name, value in getattr(report, "user_properties", ()):
            if name == OVERRIDDEN and report.when == "call" and test not in told.setdefault(str(value), []):
                told[str(value)].append(test)
            if name in (TABLE, SOAK) and report.when == "call":
                tables.setdefault(name, []).append(str(value))
    for name, texts in tables.items():
        terminalreporter.section(name)
        for text in texts:
            terminalreporter.write_line(text)
    if told:
        terminalreporter.section(f"{OVERRIDDEN} of the agent")
    for value, tests in told.items():
        terminalreporter.write_line("\n  ".join((value, *tests)))


@pytest.fixture(scope="package")
def running_cluster() -> Iterator[Cluster]:
    """One cluster for the tests of this folder. Ask for `cluster` instead: it cleans up after each test."""
    with clusters.start(lab_name("e2e")) as started:
        yield started


@pytest.fixture
def cluster(running_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without pods and reports, all daemons running, with everything installed that the agent needs."""
    install(running_cluster)
    running_cluster.kubectl("delete", "psr", "--all")
    yield running_cluster
    faults.resume_runtime(running_cluster.runtime)
    running_cluster.restore_daemons()
    remove_what_makes_pods(running_cluster)
    running_cluster.restore()


@pytest.fixture(scope="module")
def running_nested_node(running_cluster: Cluster) -> Iterator[NestedNode]:
    """A second node for all tests of a module. Ask for `nested_node` instead: it cleans up after each test."""
    with nested_nodes.start(running_cluster, "node-b") as started:
        yield started


@pytest.fixture
def nested_node(running_nested_node: NestedNode) -> Iterator[NestedNode]:
    """A second node of the cluster, in a PID namespace of its own as in kind, without pods."""
    yield running_nested_node
    running_nested_node.restore()


@pytest.fixture(scope="module")
def running_vm_node(running_cluster: Cluster) -> Iterator[VmNode]:
    """A node with its own kernel for all tests of a module: it takes half a minute to start, and work from the others.

    Ask for `vm_node` instead: it cleans up after each test.
    """
    with vm_nodes.start(running_cluster, "node-c") as started:
        yield started


@pytest.fixture
def vm_node(running_vm_node: VmNode) -> Iterator[VmNode]:
    """A node of the cluster with its own kernel, as nodes in production have: cgroup v2, AppArmor; without pods."""
    yield running_vm_node
    running_vm_node.restore()


@pytest.fixture
def kubeconfig(cluster: Cluster) -> Path:
    """A kubeconfig of the agent's service account."""
    return agent_kubeconfig(cluster)


@pytest.fixture
def start_agent(
    cluster: Cluster, kubeconfig: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> Iterator[StartAgent]:
    """Start an agent for the cluster's node; what still runs after the test has to end on SIGTERM.

    The function takes the pace, another kubeconfig than the right one, other settings as environment variables, and
    another node.
    """
    with ExitStack() as stack:
        numbers = itertools.count(1)

        def start(
            pace: Pace = FAST,
            kubeconfig: Path = kubeconfig,
            variables: Mapping[str, str] = NONE,
            node: ClusterNode = cluster,
        ) -> Agent:
            log_file = tmp_path / f"agent-{next(numbers)}.log"
            if pace != DEFAULT:
                record_property(OVERRIDDEN, ", ".join(f"{name}={value}" for name, value in pace.overrides.items()))
            return stack.enter_context(running_agent(node, kubeconfig, log_file, pace, variables))

        yield start
