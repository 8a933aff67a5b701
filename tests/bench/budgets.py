"""What was promised about the cost of a scan, and whether what was measured keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.agent_cost import AgentCost
from bench.costs import Costs
from bench.endurance import Endurance

STATUS_METHODS = ("PodSandboxStatus", "ContainerStatus")
LIST_METHODS = ("ListPodSandbox", "ListContainers")
MEBIBYTE = 1024 * 1024
MOST_MORE_DESCRIPTORS = 20
"""Beyond one for each process. A few pods that are there at the moment have some more; a leak would be several for each
pod that is gone."""

AGENT_MILLICORES = ((500, 2.0), (2000, 4.0))
"""Processes on the node, and what the agent may take there; in between it may grow in proportion."""
PROBE_SECONDS = 5.0
"""The shortest timeoutSeconds of the probes in charts/pausewatch/templates/daemonset.yaml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One figure beside its budget."""

    what: str
    value: float
    most: float
    """The budget: the figure may be this, and no more."""

    @property
    def holds(self) -> bool:
        """Whether the budget is kept."""
        return self.value <= self.most

    def __str__(self) -> str:
        return f"{self.what:<62} {self.value:>7.3g}  (budget {self.most:g})  {'ok' if self.holds else 'BROKEN'}"


def of_costs(costs: Costs) -> Iterator[Verdict]:
    """Judge a warm look beside the other programs: figures that another machine should show as well."""
    yield Verdict(what="whole look / lsns", value=costs.look / costs.lsns, most=1 / 8)
    yield Verdict(what="sweep of /proc with links / C program", value=costs.proc / costs.c, most=1.0)


def of_endurance(endurance: Endurance, *, sandboxes: int, containers: int) -> Iterator[Verdict]:
    """Judge many looks of one process."""
    grown = endurance.last_rss_bytes - endurance.settled_rss_bytes
    half = endurance.looks - endurance.looks // 2
    yield Verdict(what=f"memory grown over the last {half} looks, MiB", value=grown / MEBIBYTE, most=1)
    yield Verdict(
        what="resident memory of the process that looks, MiB", value=endurance.last_rss_bytes / MEBIBYTE, most=80
    )
    first, later = endurance.first_calls, endurance.later_calls
    asked = sum(first.get(method, 0) for method in STATUS_METHODS)
    yield Verdict(
        what="status calls of the first look / sandboxes and containers", value=asked / (sandboxes + containers), most=1
    )
    again = sum(later.get(method, 0) for method in STATUS_METHODS)
    yield Verdict(what=f"status calls of {endurance.looks - 1} later looks", value=again, most=0)
    lists = sum(later.get(method, 0) for method in LIST_METHODS)
    yield Verdict(what="lists per later look", value=lists / (endurance.looks - 1), most=2)
    others = sum(later.values()) - again - lists
    yield Verdict(what=f"other calls of {endurance.looks - 1} later looks", value=others, most=0)


def of_churn(endurance: Endurance) -> Iterator[Verdict]:
    """Judge many looks while pods come and go: nothing of those that are gone is kept."""
    grown = endurance.last_rss_bytes - endurance.settled_rss_bytes
    yield Verdict(what="memory grown while pods came and went, MiB", value=grown / MEBIBYTE, most=1)
    opened = endurance.last_descriptors - endurance.settled_descriptors
    yield Verdict(what="open files more, beyond one for each process", value=opened, most=MOST_MORE_DESCRIPTORS)


def of_system_calls(calls: float, costs: Costs) -> Iterator[Verdict]:
    """Judge how often a warm look enters the kernel; how busy the machine is does not change that."""
    per_process = calls / (costs.processes + costs.first_processes)
    yield Verdict(what="system calls of a look / processes, pauses and containers", value=per_process, most=1.5)


def of_event_loop(longest_wait_seconds: float) -> Iterator[Verdict]:
    """Judge how long the agent's other work waits for a look."""
    yield Verdict(what="longest wait of the event loop for a look, ms", value=longest_wait_seconds * 1e3, most=20)


def of_cold_scan(milliseconds: float) -> Iterator[Verdict]:
    """Judge ``pausewatch scan`` as a person runs it."""
    yield Verdict(what="pausewatch scan, whole process, seconds of CPU", value=milliseconds / 1e3, most=1)


def of_growth(small: Costs, large: Costs) -> Iterator[Verdict]:
    """Judge a look at a large node beside one at an ordinary one."""
    yield Verdict(what="one look at the large node, ms of CPU", value=large.look, most=100)
    size = (large.processes + large.first_processes) / (small.processes + small.first_processes)
    yield Verdict(what="growth of a look / growth of the node", value=large.look / small.look / size, most=1.25)


def of_agent(cost: AgentCost) -> Iterator[Verdict]:
    """Judge the agent as a whole: scans, watches, reports, probes and scrapes."""
    yield Verdict(what="agent, millicores", value=cost.millicores, most=agent_millicores(cost.processes))
    yield Verdict(what="agent, resident memory at its peak, MiB", value=cost.peak_resident_bytes / MEBIBYTE, most=80)
    if cost.working_set_bytes is not None:
        yield Verdict(
            what="agent, working set of its cgroup, MiB, of its limit",
            value=cost.working_set_bytes / MEBIBYTE,
            most=128,
        )


def agent_millicores(processes: int) -> float:
    """Return what the agent may take on a node with so many processes."""
    (few, least), (many, most) = AGENT_MILLICORES
    return least + (most - least) * max(0, processes - few) / (many - few)


def of_throttled_agent(cost: AgentCost, period_seconds: float) -> Iterator[Verdict]:
    """Judge an agent that gets little CPU time: it is late, and neither behind nor dead."""
    pages = cost.pages
    yield Verdict(
        what="throttled agent, slowest scan / period", value=pages.slowest_scan_seconds / period_seconds, most=1
    )
    yield Verdict(
        what="throttled agent, slowest page / limit of a probe", value=pages.slowest_seconds / PROBE_SECONDS, most=1
    )
