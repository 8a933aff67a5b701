"""A node for a benchmark to look at: pods of a real container runtime and many sleepers, all gone when it ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.progress import say
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.shapes import runtime
from lab.shapes.runtime import RuntimeLab

CONTAINERS = (Container(name="first"), Container(name="second"))
"""Of every pod; each is one process that sleeps."""

PODS_PER_LINE = 25
"""Of progress: making one takes about a quarter of a second."""

LONGEST_SECONDS = "3600"
"""A sleeper that nobody ends, because the benchmark was killed, ends by itself."""

FORGETFUL = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        os._exit(0)
print("all forked", flush=True)
time.sleep(float(sys.argv[2]))
"""
"""A program with so many children that it never waits for."""

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a person or a CI sends to end the benchmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoad:
    """What was started."""

    lab: RuntimeLab
    pods: int
    of_pods: int
    """Processes that the pods brought: pauses, containers, shims, and the runtime itself."""

    sleepers: int
    """Further processes, in no pod."""

    zombies: int
    """Of the sleepers' number: dead, with a parent that does not wait."""

    @property
    def containers(self) -> int:
        """Of all pods."""
        return self.pods * len(CONTAINERS)

    @property
    def processes(self) -> int:
        """All that was started; what else the machine runs is not counted."""
        return self.of_pods + self.sleepers + self.zombies


@contextmanager
def node_load(name: str, *, pods: int, processes: int, zombies: int = 0) -> Iterator[NodeLoad]:
    """Keep a container runtime with ``pods`` pods, and sleepers until ``processes`` were started in all.

    Args:
        name: What the lab is called; what an earlier one of that name left is removed first.
        pods: How many, each with two containers.
        processes: How many in all; the pods alone may already be more.
        zombies: How many of the processes that are in no pod are dead.

    Raises:
        LabError: The runtime did not start, or refused a pod.
    """
    with ExitStack() as stack:
        stack.enter_context(_signals_restored())
        lab = stack.enter_context(runtime.start(CONTAINERD_2_4, name))
        # What is entered last is left first: from then on a second Ctrl-C does not end the cleaning halfway.
        stack.callback(_ignore_signals)
        run_pods(lab, pods)
        of_pods = len(lab.cgroup.members())
        asleep = stack.enter_context(sleepers(max(0, processes - of_pods - zombies)))
        stack.enter_context(dead_children(zombies))
        say(f"{of_pods} processes of {pods} pods and their runtime, {len(asleep)} sleepers and {zombies} zombies")
        stack.callback(say, "removing the load")
        stack.callback(_ignore_signals)
        yield NodeLoad(lab=lab, pods=pods, of_pods=of_pods, sleepers=len(asleep), zombies=zombies)


def run_pods(lab: RuntimeLab, count: int, there: int = 0) -> None:
    """Make pods of two containers through the CRI, ``count`` with those that are there; they go with the lab.

    Raises:
        LabError: The runtime refused one.
    """
    for number in range(there, count):
        if number % PODS_PER_LINE == 0:
            say(f"{number} of {count} pods made")
        lab.run(load_pod(number))


def load_pod(number: int) -> Pod:
    """Return one of the pods: every tenth as a node's own agents are, which share more and are judged differently."""
    return Pod(f"load-{number}", containers=CONTAINERS, host_network=number % 10 == 0)


@contextmanager
def sleepers(count: int) -> Iterator[tuple[int, ...]]:
    """Keep ``count`` sleeping processes; gives their pids."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            started.append(subprocess.Popen(["sleep", LONGEST_SECONDS]))  # noqa: PERF401  all started ones are ended
        yield tuple(process.pid for process in started)
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


@contextmanager
def dead_children(count: int) -> Iterator[None]:
    """Keep ``count`` zombies, children of one process that does not wait for them."""
    parent = subprocess.Popen([sys.executable, "-c", FORGETFUL, str(count), LONGEST_SECONDS], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        if not parent.stdout.readline():
            raise RuntimeError("the parent of the zombies ended")
        yield
    finally:
        parent.kill()
        parent.communicate()


@contextmanager
def _signals_restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
