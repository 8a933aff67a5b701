"""Snapshot and History in, Report and next History out. Pure: no clock, no I/O; the only place for persistence.

A check that raises becomes ERROR and the others go on: a bug of ours must never look like the node's fault.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pausewatch.checks._check import Check, thresholds_of
from pausewatch.model.availability import PERMISSION_DENIED, READ_HANGS, Unavailable
from pausewatch.model.history import History, Streak
from pausewatch.model.memory import following_memory
from pausewatch.model.report import (
    CheckResult,
    Coverage,
    Finding,
    Observation,
    Outcome,
    Report,
    Severity,
    Summary,
    Suspicion,
)
from pausewatch.model.sandbox import SandboxState
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import DETAIL_SECTIONS, NODE_SECTIONS, Snapshot
from pausewatch.model.subject import Subject
from pausewatch.model.untold import untold, untold_ids
from pausewatch.model.view import NodeView
from pausewatch.model.zombies import ZombieGroup, subject_of_zombies, zombie_groups

CLEAN_LOOKS_TO_CLEAR = 2
"""A finding goes after this many scans in a row that ran its check and did not see it: one may have been unlucky."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one check saw in one Snapshot, before persistence."""

    check: Check
    result: CheckResult
    observations: tuple[Observation, ...]
    unconfirmed: tuple[Observation, ...] = ()
    """Of which nobody could tell whether they still held when everything was read. Counted as clean, a runtime that
    answers late would mend a node, and break it again a minute later."""


def evaluate(
    snapshot: Snapshot, history: History, settings: Settings, checks: Iterable[Check]
) -> tuple[Report, History]:
    """Judge a node."""
    known = history if history.boot_id in ("", snapshot.boot_id) else History()
    node = NodeView(snapshot, known)
    seen = [_run(check, node, settings) for check in checks]
    streaks = {
        finding_id: streak for one in seen for finding_id, streak in _streaks(one, known, snapshot, settings).items()
    }
    reported = [_finding(finding_id, streak) for finding_id, streak in streaks.items() if streak.reported]
    findings = [finding for finding in reported if not _ignored(finding, settings)]
    holding = zombie_groups(node, node.zombies) if node.zombies else ()
    report = Report(
        node_name=snapshot.node_name,
        taken_at=snapshot.taken_at,
        runtime=snapshot.runtime,
        cgroup_version=snapshot.cgroup_version,
        sandbox_image=snapshot.sandbox_image,
        sandbox_images=_sandbox_images(node),
        summary=_summary(node, holding),
        zombie_holders=_zombie_holders(node, holding),
        coverage=_coverage(node, ignored=len(reported) - len(findings)),
        unavailable=(*_unavailable(snapshot), *untold(node)),
        results=tuple(_result(one, findings) for one in seen),
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        suspicions=_suspicions(seen, streaks, settings),
    )
    return report, replace(
        following_memory(node, known, holding),
        streaks=streaks,
        restored_first_seen=_still_restored(streaks, known, snapshot),
    )


def candidates(report: Report, following: History) -> frozenset[str]:
    """Return the CRI ids that what was seen rests on, reported or not: to be read once more before it counts.

    Args:
        report: What ``evaluate`` returned for a Snapshot.
        following: The History that it returned with it.
    """
    judged = {result.check for result in report.results if result.outcome in (Outcome.PASS, Outcome.FAIL)}
    seen = (streak for streak in following.streaks.values() if streak.check in judged and streak.looks)
    return frozenset(owner for streak in seen for owner in streak.observation.rests_on)


def _run(check: Check, node: NodeView, settings: Settings) -> Seen:
    for section in check.needs:
        value = getattr(node.snapshot, section)
        if isinstance(value, Unavailable):
            return _skipped(check, value)
    try:
        outcome = check.run(node, thresholds_of(check, settings.thresholds))
        if isinstance(outcome, Unavailable):
            return _skipped(check, outcome)
        changed = {one.owner_id for one in node.snapshot.changed_owners if one.is_known}
        unknown = {one.owner_id for one in node.snapshot.changed_owners if not one.is_known}
        unchanged = tuple(one for one in outcome if changed.isdisjoint(one.rests_on))
        ids = [_finding_id(check, observation) for observation in unchanged]
        if len(set(ids)) != len(ids):
            twice = sorted({one for one in ids if ids.count(one) > 1})
            raise ValueError(f"two observations have one id: {', '.join(twice)}")  # noqa: TRY301  an error of the check
    except Exception as error:  # noqa: BLE001  whatever broke, it is the check's own fault and stays there
        detail = f"{type(error).__name__}: {error}"
        return Seen(
            check=check,
            result=CheckResult(check=check.id, outcome=Outcome.ERROR, reason="CheckFailed", detail=detail),
            observations=(),
        )
    return Seen(
        check=check,
        result=CheckResult(check=check.id, outcome=Outcome.PASS),
        observations=tuple(one for one in unchanged if unknown.isdisjoint(one.rests_on)),
        unconfirmed=tuple(one for one in unchanged if not unknown.isdisjoint(one.rests_on)),
    )


def _skipped(check: Check, why: Unavailable) -> Seen:
    result = CheckResult(check=check.id, outcome=Outcome.SKIP, reason=why.reason, detail=why.detail)
    return Seen(check=check, result=result, observations=())


def _streaks(seen: Seen, known: History, snapshot: Snapshot, settings: Settings) -> Mapping[str, Streak]:
    """Carry the findings of one check on: seen again, clean once more, or unknown.

    The last where the check did not run, what it saw could not be confirmed, or the runtime tells nothing of what they
    rest on: they stay as they were.
    """
    before = {finding_id: streak for finding_id, streak in known.streaks.items() if streak.check == seen.check.id}
    if seen.result.outcome is not Outcome.PASS:
        return before
    now = {_finding_id(seen.check, observation): observation for observation in seen.observations}
    lasting_seconds = seen.check.persistence_seconds(thresholds_of(seen.check, settings.thresholds))
    unseen = {finding_id: streak for finding_id, streak in before.items() if finding_id not in now}
    unknown = _unknown(seen, unseen, snapshot) if unseen else {}
    carried = {
        finding_id: replace(streak, looks=0, clean_looks=streak.clean_looks + 1)
        for finding_id, streak in unseen.items()
        if streak.reported and streak.clean_looks + 1 < CLEAN_LOOKS_TO_CLEAR
    }
    seen_again = {
        finding_id: _until_reported(
            _seen_once_more(before.get(finding_id) or _begin(seen.check, observation, known, snapshot), observation),
            snapshot.uptime_seconds,
            looks=seen.check.persistence.looks,
            seconds=lasting_seconds,
        )
        for finding_id, observation in now.items()
    }
    return {**carried, **unknown, **seen_again}


def _unknown(seen: Seen, unseen: Mapping[str, Streak], snapshot: Snapshot) -> Mapping[str, Streak]:
    """Return what was not seen because nobody could tell, as it is carried on."""
    unconfirmed = {_finding_id(seen.check, observation) for observation in seen.unconfirmed}
    untold_owners = untold_ids(snapshot)
    return {
        # Without a look in this scan: there is nothing that could be confirmed.
        finding_id: streak if finding_id in unconfirmed else replace(streak, looks=0)
        for finding_id, streak in unseen.items()
        if finding_id in unconfirmed or not untold_owners.isdisjoint(streak.observation.rests_on)
    }


def _begin(check: Check, observation: Observation, known: History, snapshot: Snapshot) -> Streak:
    return Streak(
        check=check.id,
        observation=observation,
        first_seen_at=known.restored_first_seen.get(_finding_id(check, observation), snapshot.taken_at),
        first_seen_uptime_seconds=snapshot.uptime_seconds,
        looks=0,
        clean_looks=0,
        reported=False,
    )


def _seen_once_more(before: Streak, observation: Observation) -> Streak:
    return replace(before, observation=observation, looks=before.looks + 1, clean_looks=0)


def _until_reported(streak: Streak, uptime_seconds: float, *, looks: int, seconds: float) -> Streak:
    """Return the streak, reported if it has lasted for so many looks and so long."""
    lasted_seconds = uptime_seconds - streak.first_seen_uptime_seconds
    enough = streak.looks >= looks and lasted_seconds >= seconds
    return replace(streak, reported=streak.reported or enough)


def _finding_id(check: Check, observation: Observation) -> str:
    return observation.subject.finding_id(check.id, observation.part)


def _finding(finding_id: str, streak: Streak) -> Finding:
    observation = streak.observation
    return Finding(
        id=finding_id,
        check=streak.check,
        reason=observation.reason,
        severity=observation.severity,
        subject=observation.subject,
        message=observation.message,
        evidence=observation.evidence,
        next_commands=observation.next_commands,
        first_seen_at=streak.first_seen_at,
    )


def _suspicions(seen: Iterable[Seen], streaks: Mapping[str, Streak], settings: Settings) -> tuple[Suspicion, ...]:
    checks = {one.check.id: one.check for one in seen}
    found = [
        Suspicion(
            finding=_finding(finding_id, streak),
            looks=streak.looks,
            looks_needed=checks[streak.check].persistence.looks,
            seconds_needed=checks[streak.check].persistence_seconds(
                thresholds_of(checks[streak.check], settings.thresholds)
            ),
        )
        for finding_id, streak in streaks.items()
        if not streak.reported
    ]
    kept = (one for one in found if not _ignored(one.finding, settings))
    return tuple(sorted(kept, key=lambda one: one.finding.sort_key))


def _ignored(finding: Finding, settings: Settings) -> bool:
    subject = finding.subject
    return any(
        rule.matches(check=finding.check, namespace=subject.namespace, pod=subject.pod) for rule in settings.ignore
    )


def _result(seen: Seen, findings: Iterable[Finding]) -> CheckResult:
    """Return PASS as FAIL where the check has findings. Info findings are no failure: they ask for nothing."""
    failed = any(finding.check == seen.check.id and finding.severity is not Severity.INFO for finding in findings)
    if failed and seen.result.outcome is Outcome.PASS:
        return replace(seen.result, outcome=Outcome.FAIL)
    return seen.result


def _still_restored(streaks: Mapping[str, Streak], known: History, snapshot: Snapshot) -> Mapping[str, datetime]:
    """Keep what was not seen again yet, for as long as it may count: from then on the streak keeps the time."""
    if snapshot.uptime_seconds > known.restored_until_uptime_seconds:
        return {}
    return {finding_id: moment for finding_id, moment in known.restored_first_seen.items() if finding_id not in streaks}


def _summary(node: NodeView, holding: tuple[ZombieGroup, ...]) -> Summary:
    ready = [sandbox for sandbox in node.sandboxes.values() if sandbox.state is SandboxState.READY]
    links = [node.links_of(owner_id) for owner_id in node.first_processes]
    return Summary(
        sandboxes=len(node.sandboxes),
        ready_sandboxes=len(ready),
        container_states=Counter(container.state for container in node.containers.values()),
        pause_processes=sum(sandbox_id in node.first_processes for sandbox_id in node.sandboxes),
        pause_memory_bytes=_pause_memory_bytes(node),
        pid_namespaces=len({one.pid for one in links if one is not None}),
        zombies=sum(len(group.zombies) for group in holding if not group.elsewhere),
    )


def _pause_memory_bytes(node: NodeView) -> int | None:
    usages = node.snapshot.pause_usages
    if isinstance(usages, Unavailable):
        return None
    return sum(usage.resident_bytes for usage in usages if usage.sandbox_id not in node.not_comparable)


def _zombie_holders(node: NodeView, groups: tuple[ZombieGroup, ...]) -> tuple[tuple[Subject, int], ...]:
    held = [(subject_of_zombies(node, group), len(group.zombies)) for group in groups if group.sandbox is not None]
    return tuple(sorted(held, key=lambda holder: (-holder[1], holder[0].sort_key)))


def _coverage(node: NodeView, *, ignored: int) -> Coverage:
    links = [first.links for first in node.first_processes.values()]
    denied = [one for one in links if isinstance(one, Unavailable) and one.reason == PERMISSION_DENIED]
    return Coverage(
        not_comparable_sandboxes=len(node.not_comparable),
        unreadable_processes=len(denied),
        ignored_findings=ignored,
        unreadable_remedy=denied[0].remedy if denied else "",
    )


def _sandbox_images(node: NodeView) -> tuple[str, ...]:
    details = (
        node.sandbox_details(sandbox) for sandbox in node.sandboxes.values() if sandbox.state is SandboxState.READY
    )
    return tuple(sorted({one.image for one in details if one is not None and one.image}))


def _unavailable(snapshot: Snapshot) -> tuple[tuple[str, Unavailable], ...]:
    sections = ((name, getattr(snapshot, name)) for name in (*NODE_SECTIONS, *DETAIL_SECTIONS))
    return tuple(
        (name, value)
        for name, value in sections
        if isinstance(value, Unavailable) and (name in NODE_SECTIONS or value.reason == READ_HANGS)
    )
