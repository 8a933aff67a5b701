"""Zombies have used up most of a limit on processes: soon no program can start another one."""

import shlex
from collections import Counter
from dataclasses import dataclass

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pid_limit import PidLimit, reached_about
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView, subject_of_sandbox
from pausewatch.model.zombie_growth import growth_text
from pausewatch.model.zombies import ParentRole, ZombieGroup, subject_of_zombies, zombie_groups

PID_LIMIT_NEAR = "PidLimitNear"
PARENTS_SHOWN = 3
PERCENT = 100

NOT_ENDED_BY_ITS_POD = (ParentRole.OTHER, ParentRole.OF_NO_POD)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One bound, and the zombies below it."""

    limit: PidLimit
    groups: tuple[ZombieGroup, ...]
    """The one with the most zombies first."""

    @property
    def zombies(self) -> int:
        return min(sum(len(group.zombies) for group in self.groups), self.limit.tasks)


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Compare every bound with what is in use, and with how much of it zombies take."""
    used_up = [limit for limit in node.pid_limits if _reaches(limit.tasks, limit, thresholds["used_percent"])]
    if not used_up:
        return ()
    lasting = [zombie for zombie in node.zombies if node.zombie_seen_for_seconds(zombie) > 0]
    groups = sorted(zombie_groups(node, lasting), key=lambda group: (-len(group.zombies), group.owner_id))
    nearest: dict[Subject, _Case] = {}
    for limit in sorted(used_up, key=lambda one: (-one.used_share, one.directory)):
        case = _Case(limit=limit, groups=tuple(group for group in groups if _counts_against(limit, group)))
        if case.groups and _reaches(case.zombies, limit, thresholds["zombie_percent"]):
            # Bounds lie inside each other: the one that is reached first is told.
            nearest.setdefault(_subject(node, case), case)
    return tuple(_observe(node, subject, case) for subject, case in nearest.items())


def _counts_against(limit: PidLimit, group: ZombieGroup) -> bool:
    return limit.is_of_the_machine or group.owner_id in limit.owner_ids


def _reaches(tasks: int, limit: PidLimit, percent: float) -> bool:
    return tasks * PERCENT >= percent * limit.most_tasks


def _subject(node: NodeView, case: _Case) -> Subject:
    """Return the container below the bound; the pod if there are several, the node if there are several pods."""
    if case.limit.is_of_the_machine:
        return Subject()
    first = case.groups[0]
    if len(case.groups) == 1:
        return subject_of_zombies(node, first)
    sandboxes = {group.sandbox.id for group in case.groups if group.sandbox is not None}
    return subject_of_sandbox(first.sandbox) if len(sandboxes) == 1 and first.sandbox is not None else Subject()


def _observe(node: NodeView, subject: Subject, case: _Case) -> Observation:
    owners = () if subject.is_node else tuple(group.owner_id for group in case.groups)
    sandbox = () if subject.is_node else (subject.sandbox_id,)
    return Observation(
        reason=PID_LIMIT_NEAR,
        severity=Severity.CRITICAL,
        subject=subject,
        message=_message(node, subject, case),
        evidence=_evidence(node, case),
        next_commands=_next_commands(node, case),
        rests_on=tuple(dict.fromkeys((*owners, *sandbox))),
    )


def _message(node: NodeView, subject: Subject, case: _Case) -> str:
    limit, parent = case.limit, case.groups[0].parents[0]
    whose = f"{at_least(case.zombies)} of them are zombies, most of {parent}, {parent.role}, which does not wait"
    if not limit.free_tasks:
        return (
            f"{subject} can start no process: all {limit.most_tasks:,} tasks that {limit.name} allows are used, and"
            f" {whose}; every fork fails with 'Resource temporarily unavailable'"
        )
    reached = reached_about(limit, _growth(node, case) or 0, node.snapshot.taken_at)
    when = f"at {limit.most_tasks:,}, at this pace about {reached}," if reached else f"at {limit.most_tasks:,}"
    return (
        f"{subject} uses {limit.used_tens_of_percent} % or more of the {limit.most_tasks:,} tasks that {limit.name}"
        f" allows, and {whose}; {when} forks fail and no program starts"
    )


def _growth(node: NodeView, case: _Case) -> float | None:
    """Return how fast the zombies grow in number; None if one of those who hold them has no steady pace."""
    paces = [node.zombie_growth_per_hour(group.owner_id) for group in case.groups]
    known = [pace for pace in paces if pace is not None]
    return sum(known) if len(known) == len(paces) else None


def _evidence(node: NodeView, case: _Case) -> tuple[Evidence, ...]:
    limit = case.limit
    parents: Counter[str] = Counter()
    for group in case.groups:
        for parent in group.parents:
            parents[f"{parent}, {parent.role}"] += parent.zombies
    growth = _growth(node, case)
    return (
        Evidence(name="limit", value=str(limit)),
        *([Evidence(name="cgroup", value=limit.directory)] if limit.directory else []),
        Evidence(name="tasks", value=at_least(limit.tasks)),
        Evidence(name="zombies", value=at_least(case.zombies)),
        *(
            Evidence(name="parent", value=f"{parent}: {at_least(count)} zombies")
            for parent, count in parents.most_common(PARENTS_SHOWN)
        ),
        *([Evidence(name="growth", value=growth_text(growth))] if growth is not None else []),
    )


def _next_commands(node: NodeView, case: _Case) -> tuple[NextCommand, ...]:
    group = case.groups[0]
    parent, subject = group.parents[0], subject_of_zombies(node, group)
    on_the_node = [_read_limit(case.limit), f"ps --ppid {parent.pid} -o pid,stat,lstart,comm"]
    on_the_cluster: list[NextCommand] = []
    if not subject.is_node:
        on_the_node.append(f"pausewatch inspect {shlex.quote(f'{subject.namespace}/{subject.pod}')}")
        if parent.role not in NOT_ENDED_BY_ITS_POD:
            on_the_cluster += delete_pod(subject.namespace, subject.pod, subject.uid)
    return (
        *(NextCommand(run_on=RunOn.NODE, command=command) for command in on_the_node),
        *on_the_cluster,
    )


def _read_limit(limit: PidLimit) -> str:
    """Return what prints the names and values that were compared."""
    if limit.is_of_the_machine:
        return "grep . /proc/loadavg /proc/sys/kernel/pid_max /proc/sys/kernel/threads-max"
    return f"cd {shlex.quote(limit.directory)} && grep . pids.current pids.max"


CHECK = Check(
    id="pid-limit-near",
    title="Zombies have used up most of a limit on processes",
    reasons=(
        Reason(
            name=PID_LIMIT_NEAR,
            severities=(Severity.CRITICAL,),
            meaning="a container, its pod or the node is near its pid limit, and zombies take a good part of it",
        ),
    ),
    needs=("sandboxes", "containers", "first_processes", "processes", "pid_limits"),
    thresholds=(
        Threshold(
            name="used_percent",
            unit="percent",
            default=80,
            minimum=1,
            why="leaves time to act at usual paces; a limit that is used to less is no reason to wake anybody",
        ),
        Threshold(
            name="zombie_percent",
            unit="percent",
            default=25,
            minimum=1,
            why="below a quarter of the limit the zombies are not what fills it: a busy program, or a limit that is too"
            " low for it, is not ours to report",
        ),
    ),
    persistence=Persistence(
        looks=1,
        why="each zombie counts only from the second scan on in which the same process (pid and start time) is dead",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
