"""The image in pods of a real runtime: what it needs, what it finds, what it takes."""

import os
import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.support.exposition import Exposition
from lab import faults
from lab.build.agent_image import AGENT_IMAGE, VERSION
from lab.cgroups import hierarchies
from lab.errors import LabError
from lab.pins import CONTAINERD_2_4
from lab.pods import Confinement, Container, Mount, Pod, RunningPod
from lab.processes import cgroup_paths, children
from lab.shapes.runtime import RuntimeLab
from lab.waiting import wait_until

#: One runtime is enough: nothing of the image depends on its version.
pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)

RESIDENT_BUDGET_KIB = 80 * 1024
MEMORY_LIMIT_BYTES = 128 * 2**20
#: Its bit in linux/capability.h.
SYS_PTRACE = 1 << 19
SCANS = 5
#: For a start of the agent without API server, which it waits ten seconds for, and so many scans.
SECONDS = 100.0

EVERY_MODULE = textwrap.dedent("""\
    import importlib, pkgutil
    import pausewatch
    names = [one.name for one in pkgutil.walk_packages(pausewatch.__path__, "pausewatch.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    print("imported", len(names))
    """)
FETCH = textwrap.dedent("""\
    import sys, urllib.request
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    print(opener.open(sys.argv[1], timeout=5).read().decode())
    """)


def once(name: str, *arguments: str, command: tuple[str, ...] = ()) -> Container:
    """Run something in the image, its own entry point by default, to its end and without any right."""
    return Container(name, command, arguments, image=AGENT_IMAGE, init=True, confinement=Confinement())


def test_commands_run_as_nobody_on_a_read_only_root(lab_with_image: RuntimeLab) -> None:
    """Uid 65532, no capability and no writable path, /tmp included; every module of the product can be imported."""
    imports = once("imports", command=("/opt/pausewatch/bin/python", "-IB", "-c", EVERY_MODULE))

    pod = lab_with_image.run(
        Pod("nobody", containers=(once("version", "--version"), once("help", "scan", "--help"), imports))
    )

    assert f"pausewatch {VERSION}" in pod.log("version")
    assert "Usage: pausewatch scan" in pod.log("help")
    assert "imported" in pod.log("imports")


def test_agent_in_its_pod_finds_a_fault_and_keeps_to_itself(lab_with_image: RuntimeLab) -> None:
    """With the rights of a DaemonSet it sees a torn pod, starts no process, stays within its limit, ends on SIGTERM."""
    lab = lab_with_image
    torn = faults.namespace_path_dropped(lab, lab.run(Pod("web")), "app", "network")
    agent = lab.run(agent_pod(lab))
    metrics = scrape(lab, agent)

    def told() -> Exposition | None:
        exposition = metrics()
        return exposition if f"NamespaceNotShared lab/{torn.pod.name}" in exposition.findings_about_pods() else None

    wait_until("the torn pod to be found", told, SECONDS)
    wait_until(f"{SCANS} scans", lambda: metrics().total("pausewatch_scans_total") >= SCANS, SECONDS)

    pid = agent.pid("agent")
    status = status_of(pid)
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == SYS_PTRACE
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert int(status["VmRSS"].split()[0]) <= RESIDENT_BUDGET_KIB
    assert working_set_bytes(pid) < MEMORY_LIMIT_BYTES
    assert (children(pid), faults_of_ended_children(pid)) == ([], 0)

    container = agent.container_ids["agent"]
    os.kill(pid, signal.SIGTERM)
    wait_until("the agent to end", lambda: lab.client.container_status(container).finished_at, SECONDS)
    assert lab.client.container_status(container).exit_code == 0


def agent_pod(lab: RuntimeLab) -> Pod:
    """The agent as a DaemonSet runs it, without an API server."""
    container = Container(
        "agent",
        (),
        ("agent",),
        environment={
            "PAUSEWATCH_NODE_NAME": "lab-node",
            "PAUSEWATCH_RUNTIME_ENDPOINT": "unix:///runtime/containerd.sock",
            "PAUSEWATCH_SCAN_PERIOD_SECONDS": "1",
        },
        image=AGENT_IMAGE,
        capabilities=("SYS_PTRACE",),
        mounts=(Mount(str(lab.places.run), "/runtime"),),
        confinement=Confinement(user=0, memory_limit_bytes=MEMORY_LIMIT_BYTES),
    )
    return Pod("pausewatch", namespace="pausewatch", host_pid=True, containers=(container,))


def scrape(lab: RuntimeLab, agent: RunningPod) -> Callable[[], Exposition]:
    """Return what asks for the agent's metrics, from the lab's node; there are none before its pages are served."""
    url = f"http://{agent.address()}:7287/metrics"

    def ask() -> Exposition:
        try:
            return Exposition(lab.enter(sys.executable, "-c", FETCH, url))
        except LabError:
            return Exposition("")

    return ask


def status_of(pid: int) -> dict[str, str]:
    """The lines of /proc/<pid>/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def faults_of_ended_children(pid: int) -> int:
    """Page faults of all children that it ever waited for (proc_pid_stat(5): cminflt, cmajflt); 0: there was none."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[8]) + int(fields[10])


def working_set_bytes(pid: int) -> int:
    """What a kubelet would compare with the limit: memory in use but for files that nobody has touched lately."""
    for hierarchy in hierarchies():
        for path in cgroup_paths(pid):
            directory = hierarchy.directory(path)
            for usage, inactive in (
                ("memory.current", "inactive_file"),
                ("memory.usage_in_bytes", "total_inactive_file"),
            ):
                if (directory / usage).exists():
                    lines = (directory / "memory.stat").read_text().splitlines()
                    return int((directory / usage).read_text()) - int(dict(map(str.split, lines))[inactive])
    raise AssertionError(f"no memory controller knows pid {pid}")
