"""A pause does more than hold namespaces."""

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from pausewatch.checks._check import Check, Persistence, Reason, Stability, Threshold, Thresholds
from pausewatch.model.availability import Unavailable
from pausewatch.model.membership import SETTLING_SECONDS
from pausewatch.model.next_commands import delete_pod
from pausewatch.model.pause_usage import PauseUsage
from pausewatch.model.pod_commands import inspect_pod
from pausewatch.model.process import Process
from pausewatch.model.report import Evidence, NextCommand, Observation, RunOn, Severity
from pausewatch.model.sandbox import Sandbox
from pausewatch.model.text import at_least
from pausewatch.model.view import NodeView, subject_of_sandbox

ABNORMAL_PAUSE = "AbnormalPause"
MEBIBYTE = 1 << 20

LEAST_OTHERS = 3
"""Pauses of the same image that must all run one program before another program is called odd."""

ZOMBIES_SHOWN = 3

_Program = tuple[str, str, str]
"""The image and the runtime handler of a pause, and the program that it runs."""


def run(node: NodeView, thresholds: Thresholds) -> tuple[Observation, ...]:
    """Find pauses that use what a pause has no use for."""
    judged = [(sandbox, usage, (*_image(node, sandbox), usage.program)) for sandbox, usage in _judged(node)]
    usual_programs = _usual_programs(Counter(program for _, _, program in judged))
    zombies = _zombies_of(node, {usage.identity.pid for _, usage, _ in judged})
    observations = []
    for sandbox, usage, program in judged:
        dead = zombies.get(usage.identity.pid, ())
        faults = tuple(_faults(usage, dead, usual_programs.get(program, ""), thresholds))
        if faults:
            observations.append(_observe(node, sandbox, usage, dead, faults))
    return tuple(observations)


def _judged(node: NodeView) -> Iterator[tuple[Sandbox, PauseUsage]]:
    """Yield what is a pause for certain: not the monitor of a virtual machine, nor runc on its way to become one."""
    usages = node.snapshot.pause_usages
    for usage in () if isinstance(usages, Unavailable) else usages:
        sandbox = node.sandboxes.get(usage.sandbox_id)
        age_seconds = usage.identity.age_seconds(node.snapshot.uptime_seconds)
        if sandbox is not None and sandbox.id not in node.not_comparable and age_seconds >= SETTLING_SECONDS:
            yield sandbox, usage


def _image(node: NodeView, sandbox: Sandbox) -> tuple[str, str]:
    """Return the image and the runtime handler, which decide which program a pause is."""
    details = node.sandbox_details(sandbox)
    return ("", "") if details is None else (details.image, details.runtime_handler)


def _usual_programs(counts: Mapping[_Program, int]) -> Mapping[_Program, str]:
    """Return each program that runs once, where all others of its image run another one, with the name of that one."""
    of_images: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for (image, handler, name), count in counts.items():
        if image and name:
            of_images.setdefault((image, handler), []).append((count, name))
    usual: dict[_Program, str] = {}
    for key, programs in of_images.items():
        (once, odd), *others = sorted(programs)
        if once == 1 and len(others) == 1 and others[0][0] >= LEAST_OTHERS:
            usual[(*key, odd)] = others[0][1]
    return usual


def _zombies_of(node: NodeView, pauses: Collection[int]) -> Mapping[int, Sequence[Process]]:
    """Return the lasting zombies of each pause that has any; containers may have thousands, which are not looked at."""
    grouped: dict[int, list[Process]] = {}
    for zombie in node.zombies:
        if zombie.parent_pid in pauses and node.zombie_seen_for_seconds(zombie) >= SETTLING_SECONDS:
            grouped.setdefault(zombie.parent_pid, []).append(zombie)
    return grouped


def _faults(usage: PauseUsage, zombies: Sequence[Process], usual: str, thresholds: Thresholds) -> Iterator[str]:
    """Yield what is wrong, in words that stay the same while it lasts."""
    cpu_bound, memory_bound = thresholds["cpu_percent"], thresholds["memory_mebibytes"]
    if usage.cpu_percent > cpu_bound:
        yield f"uses {at_least(int(usage.cpu_percent))} % of a CPU (bound {cpu_bound:g} %)"
    if usage.resident_bytes > memory_bound * MEBIBYTE:
        yield f"holds {at_least(usage.resident_bytes // MEBIBYTE)} MiB of memory (bound {memory_bound:g} MiB)"
    if zombies:
        yield f"does not reap its dead children ({at_least(len(zombies))} zombies)"
    if usual:
        yield f"runs the program {usage.program} where all others of its image run {usual}"


def _observe(
    node: NodeView, sandbox: Sandbox, usage: PauseUsage, zombies: Sequence[Process], faults: tuple[str, ...]
) -> Observation:
    subject = subject_of_sandbox(sandbox)
    image = _image(node, sandbox)[0]
    dead = ", ".join(str(zombie.pid) for zombie in zombies[:ZOMBIES_SHOWN])
    return Observation(
        reason=ABNORMAL_PAUSE,
        severity=Severity.WARNING,
        subject=subject,
        message=(
            f"The pause of {subject} {' and '.join(faults)}: a pause only holds the pod's Linux namespaces, so this one"
            " is broken or is no pause, and what it uses is taken from the pod and the node"
        ),
        evidence=(
            Evidence(name="pause", value=str(usage.identity.pid)),
            Evidence(name="program", value=usage.program or "not readable"),
            Evidence(name="image", value=image or "not told"),
            *((Evidence(name="zombies", value=dead),) if zombies else ()),
        ),
        next_commands=(
            NextCommand(
                run_on=RunOn.NODE, command=f"ps -ww -p {usage.identity.pid} -o pid,stat,lstart,cputime,pcpu,rss,comm"
            ),
            NextCommand(run_on=RunOn.NODE, command=f"ps --ppid {usage.identity.pid} -o pid,stat,lstart,comm")
            if zombies
            else NextCommand(run_on=RunOn.NODE, command=f"crictl inspectp {shlex.quote(sandbox.id)}"),
            inspect_pod(sandbox.namespace, sandbox.name),
            *delete_pod(sandbox.namespace, sandbox.name, sandbox.uid),
        ),
        rests_on=(sandbox.id,),
    )


CHECK = Check(
    id="abnormal-pause",
    title="A pause does more than hold namespaces",
    reasons=(
        Reason(
            name=ABNORMAL_PAUSE,
            severities=(Severity.WARNING,),
            meaning="a pause burns CPU, holds memory, does not reap, or is another program than all others",
        ),
    ),
    needs=("sandboxes", "containers", "first_processes", "processes", "pause_usages"),
    thresholds=(
        Threshold(
            name="cpu_percent",
            unit="percent of a CPU",
            default=10,
            minimum=1,
            why="a pause sleeps; one that reaps a thousand orphans a second for its pod needs a few percent",
        ),
        Threshold(
            name="memory_mebibytes",
            unit="MiB",
            default=10,
            minimum=1,
            why="the pause of Kubernetes holds half of one, other inits that serve as pause up to three",
        ),
        Threshold(
            name="lasting_seconds",
            unit="seconds",
            default=60,
            minimum=0,
            why="a pause that was stopped for a moment reaps late; one that works for a minute is not idle",
        ),
    ),
    persistence=Persistence(
        looks=2,
        seconds_threshold="lasting_seconds",
        why="CPU time is measured between two looks, and a burst is no defect",
    ),
    since="0.1.0",
    stability=Stability.STABLE,
    run=run,
)
