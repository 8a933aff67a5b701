"""Dead processes pile up because nobody waits for them."""

import shlex
from collections.abc import Iterator

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.linux_namespace import NamespaceKind, namespace_text
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pid_limit import PidLimit, reached_about
from pausewatch.model.pod_commands import inspect_pod
from pausewatch.model.process import Process
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import ContainerState
from pausewatch.model.subject import Subject
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView
from pausewatch.model.zombie_growth import growth_text
from pausewatch.model.zombies import (
    ParentRole,
    ZombieGroup,
    start_period_seconds,
    subject_of_zombies,
    zombie_groups,
)

ZOMBIE_BUILDUP = "ZombieBuildup"
PARENTS_SHOWN = 3
EXAMPLES_SHOWN = 3
EXEC_PROBES = "'{.spec.containers[*].*.exec.command}'"
"""A jsonpath for the commands of all probes that start a process in their container."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Count the zombies of every container that were there in an earlier scan too."""
    lasting = [zombie for zombie in node.zombies if node.zombie_seen_for_seconds(zombie) > 0]
    return tuple(
        _observe(node, group, thresholds)
        for group in zombie_groups(node, lasting)
        if len(group.zombies) >= thresholds["zombies"] and not group.elsewhere
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
        message=_message(node, group, subject, bound),
        evidence=_evidence(node, group),
        next_commands=_next_commands(group, subject),
        rests_on=_rests_on(group),
    )


def _rests_on(group: ZombieGroup) -> tuple[str, ...]:
    """Return what has to be the same still; a container that has exited does not run, and leaves its dead all the same.

    In a shared PID namespace they stay behind it: its orphans are the pause's, which may not reap.
    """
    container = group.container
    ids = (container.id,) if container is not None and container.state is ContainerState.RUNNING else ()
    return ids if group.sandbox is None else (*ids, group.sandbox.id)


def _message(node: NodeView, group: ZombieGroup, subject: Subject, bound: int) -> str:
    parent = group.parents[0]
    holder = f"{subject} holds {at_least(len(group.zombies))} zombies (bound {bound})"
    cause = f"{parent}, {parent.role}, does not wait for its dead children"
    keeps = "and each keeps a pid until it does or ends"
    limit = _nearest_limit(node, group)
    reached = reached_about(limit, _growth(node, group), node.snapshot.taken_at) if limit is not None else ""
    if not reached:
        return f"{holder}: {cause}, {keeps}; forks fail when the pids run out"
    return f"{holder}: {cause}, {keeps}; at this pace {limit} is reached about {reached}, and forks fail"


def _growth(node: NodeView, group: ZombieGroup) -> float:
    return node.zombie_growth_per_hour(group.owner_id) or 0


def _nearest_limit(node: NodeView, group: ZombieGroup) -> PidLimit | None:
    """Return the bound that is used up most of those that these zombies count against."""
    limits = [one for one in node.pid_limits if one.is_of_the_machine or group.owner_id in one.owner_ids]
    return max(limits, key=lambda limit: limit.used_share, default=None)


def _evidence(node: NodeView, group: ZombieGroup) -> tuple[Evidence, ...]:
    parents = (
        Evidence(name="parent", value=f"{parent}, {parent.role}: {at_least(parent.zombies)} zombies")
        for parent in group.parents[:PARENTS_SHOWN]
    )
    oldest = sorted(group.zombies, key=lambda one: (one.identity.start_ticks, one.pid))[:EXAMPLES_SHOWN]
    examples = ", ".join(f"{zombie.pid} {zombie.name}" for zombie in oldest)
    return (
        *parents,
        *_pid_namespace(node, oldest),
        Evidence(name="oldestZombies", value=examples),
        *_pace(node, group),
    )


def _pace(node: NodeView, group: ZombieGroup) -> Iterator[Evidence]:
    """Yield what tells how they come about, and how long it can go on."""
    period = start_period_seconds(group.zombies)
    if period is not None:
        yield Evidence(name="startedEvery", value=f"{period} s, as a probe or a timer starts its programs")
    growth = node.zombie_growth_per_hour(group.owner_id)
    if growth is not None:
        yield Evidence(name="growth", value=growth_text(growth))
    limit = _nearest_limit(node, group)
    if limit is not None:
        of = f" in {limit.directory}" if limit.directory else ""
        used = limit.used_tens_of_percent
        yield Evidence(
            name="nearestLimit", value=f"{limit}{of}, {f'{used} % or more' if used else 'less than 10 %'} used"
        )


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
    commands.append(inspect_pod(subject.namespace, subject.pod))
    in_namespace = f"kubectl --namespace {shlex.quote(subject.namespace)}"
    name = shlex.quote(subject.pod)
    probes = f"{in_namespace} get pod {name} --output jsonpath={EXEC_PROBES}"
    commands.append(NextCommand(run_on=RunOn.CLUSTER, command=probes))
    if parent.role is not ParentRole.OTHER:
        commands += delete_pod(subject.namespace, subject.pod, subject.uid)
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
