"""Dead processes pile up because nobody waits for them."""

import shlex

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.process import Process
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.subject import Subject
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView
from pausewatch.model.zombies import ParentRole, ZombieGroup, ZombieParent, subject_of_zombies, zombie_groups

ZOMBIE_BUILDUP = "ZombieBuildup"
PARENTS_SHOWN = 3
EXAMPLES_SHOWN = 3


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Count the zombies of every container that were there in an earlier scan too."""
    lasting = [zombie for zombie in node.zombies if node.zombie_seen_for_seconds(zombie) > 0]
    return tuple(
        _observe(node, group, thresholds)
        for group in zombie_groups(node, lasting)
        if len(group.zombies) >= thresholds["zombies"]
    )


def _observe(node: NodeView, group: ZombieGroup, thresholds: Thresholds) -> Observation:
    bound = int(thresholds["zombies"])
    old = [zombie for zombie in group.zombies if node.zombie_seen_for_seconds(zombie) >= thresholds["seen_for_seconds"]]
    severity = Severity.WARNING if len(old) >= bound else Severity.INFO
    subject = subject_of_zombies(node, group)
    return Observation(
        reason=ZOMBIE_BUILDUP,
        severity=severity,
        subject=subject,
        message=_message(subject, group, bound),
        evidence=_evidence(node, group),
        next_commands=_next_commands(group, subject),
        rests_on=tuple(one.id for one in (group.container, group.sandbox) if one is not None),
    )


def _message(subject: Subject, group: ZombieGroup, bound: int) -> str:
    parent = group.parents[0]
    holder = f"{subject} holds {at_least(len(group.zombies))} zombies (bound {bound})"
    cause = f"{_parent_text(parent)}, {parent.role}, does not wait for its dead children"
    return f"{holder}: {cause}, and each keeps a pid until it does or ends; forks fail when the pids run out"


def _parent_text(parent: ZombieParent) -> str:
    return f"pid {parent.pid} ({parent.process.name})" if parent.process is not None else f"pid {parent.pid}"


def _evidence(node: NodeView, group: ZombieGroup) -> tuple[Evidence, ...]:
    parents = (
        Evidence(name="parent", value=f"{_parent_text(parent)}, {parent.role}: {at_least(parent.zombies)} zombies")
        for parent in group.parents[:PARENTS_SHOWN]
    )
    oldest = sorted(group.zombies, key=lambda one: (one.identity.start_ticks, one.pid))[:EXAMPLES_SHOWN]
    examples = ", ".join(f"{zombie.pid} {zombie.name}" for zombie in oldest)
    return (*parents, *_pid_namespace(node, oldest), Evidence(name="oldestZombies", value=examples))


def _pid_namespace(node: NodeView, zombies: list[Process]) -> tuple[Evidence, ...]:
    placements = (node.placements.get(zombie.identity) for zombie in zombies)
    inodes = {one.pid_namespace for one in placements if one is not None and one.pid_namespace is not None}
    if len(inodes) != 1:
        return ()
    return (Evidence(name="pidNamespace", value=namespace_text(NamespaceKind.PID, inodes.pop())),)


def _next_commands(group: ZombieGroup, subject: Subject) -> tuple[NextCommand, ...]:
    parent = group.parents[0]
    commands = [NextCommand(run_on=RunOn.NODE, command=f"ps --ppid {parent.pid} -o pid,stat,lstart,comm")]
    if subject.is_node:
        # The cgroup tells whose the parent is: last, because ps cuts off every column but the last one.
        whose = f"ps -ww -p {parent.pid} -o pid,ppid,lstart,comm,cgroup"
        commands.append(NextCommand(run_on=RunOn.NODE, command=whose))
        return tuple(commands)
    pod = shlex.quote(f"{subject.namespace}/{subject.pod}")
    commands.append(NextCommand(run_on=RunOn.NODE, command=f"pausewatch inspect {pod}"))
    if parent.role is not ParentRole.OTHER:
        delete = f"kubectl --namespace {shlex.quote(subject.namespace)} delete pod {shlex.quote(subject.pod)}"
        commands.append(NextCommand(run_on=RunOn.CLUSTER, command=delete))
    return tuple(commands)


CHECK = Check(
    id="zombie-buildup",
    title="Dead processes pile up because nobody waits for them",
    reasons=(
        Reason(
            name=ZOMBIE_BUILDUP,
            severities=(Severity.WARNING, Severity.INFO),
            meaning="a container (or the node) holds zombies that its parent process does not reap",
        ),
    ),
    needs=("sandboxes", "containers", "first_processes", "processes"),
    thresholds=(
        Threshold(
            name="zombies",
            unit="processes",
            default=10,
            minimum=1,
            why="busy shells leave a few for moments; ten that stay are a parent that never waits, long before a "
            "usual pid limit of some thousands is near",
        ),
        Threshold(
            name="seen_for_seconds",
            unit="seconds",
            default=60,
            minimum=0,
            why="a parent that is stopped or swapping may be late by seconds, not by a minute; until then the finding "
            "is Info",
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
