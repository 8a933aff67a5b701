"""Next commands can not hurt: not by a name on the node, and not by being typed too late."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from checks.test_all_checks import later, looked_at
from pausewatch.checks._check import all_checks
from pausewatch.model.report import Finding
from pausewatch.model.snapshot import Snapshot
from support.builders import a_snapshot
from support.changes import with_zombies
from support.hostile import CHOSEN_BY_A_PROCESS, HOSTILE, hostile, with_names
from support.parts import CONTAINERD_PID, WEB_SANDBOX_ID, hex_id
from support.sick import a_sick_snapshot

SILENT = frozenset(
    {"container-process-gone", "pause-gone", "sandbox-churn", "sandbox-image-drift", "sandbox-image-unpinned"}
)
"""Checks that find nothing on the nodes below; the commands of each stand in its own test."""

MARK = "chosenByAProcess"
OTHER_UID = "00000000-0000-4000-8000-000000000000"

PROGRAMS = frozenset(
    {
        "cat", "cd", "crictl", "ctr", "find", "findmnt", "grep", "ip", "kill", "kubectl", "ls", "nsenter",
        "pausewatch", "ps", "readlink", "rm", "sort", "test", "umount", "xargs",
    }
)  # fmt: skip
"""All that any command may start; ``cd`` and ``test`` are the shell's own."""

NOT_LISTED = (
    r'^case "\$\(crictl pods [^|;]* && crictl ps [^|;]* && echo asked\)" in '
    r"asked\) ;; \*asked\) echo '[^']*'; false;; \*\) false;; esac && "
)

GUARDS = {
    # The API server compares the uid, and the path leads to no other kind of object.
    r"\bkubectl .*delete ": r"""^echo '\{"preconditions":\{"uid":"[0-9a-f-]{36}"\}\}' \| kubectl delete --raw """
    r"/api/v1/namespaces/[a-z0-9][a-z0-9.-]*/pods/[a-z0-9][a-z0-9.-]* --filename - >/dev/null && echo 'being deleted'$",
    r"\bip netns delete ": r'^test -z "\$\(ip netns pids ',
    r"\bumount ": r'^test "\$\(findmnt -no SOURCE ',
    r"\bip link set ": r'^test "\$\(readlink /proc/\d+/ns/net\)" = ',
    r"\brm /var/lib/cni": r"^grep -q -F -e \S+ /var/lib/cni/\S+ && ",
    # Only while the runtime does not run it; and the cgroup is looked into anew: whatever has the pid by then is safe.
    r"\bkill$": NOT_LISTED + r"find /sys/fs/cgroup -path '\*[0-9a-f]{64}\*' -name cgroup\.procs ",
    # Ids are given once; rmp refuses a sandbox that is ready.
    r"\bcrictl (stopp|rmp) ": r"^crictl (stopp|rmp)( [0-9a-f]{64})+$",
    # Without --force containerd refuses what runs.
    r"\bctr .* delete --force ": NOT_LISTED
    + r"ctr --address \S+ --namespace k8s\.io tasks delete --force [0-9a-f]{64}$",
    r"\bctr .* delete [0-9a-f]": r"^ctr --address \S+ --namespace k8s\.io (tasks|containers) delete [0-9a-f]{64}$",
}
"""What changes something, and how such a command has to look to hit nothing but what was found."""

HARMLESS = (
    r"^readlink( /proc/\d+/ns/\w+)+$",
    r"^(pausewatch inspect|kubectl --namespace \S+ (get|describe)|kubectl get) ?",
    r"^crictl (pods|inspect|inspectp|inspecti|images|pull)\b",
    r"^ctr --address \S+ --namespace k8s\.io (tasks ls|containers info [0-9a-f]{64})$",
    r"^ps ",
    r"^nsenter --target \d+ --net ip (-brief )?address( show dev lo)?$",
    r"^cd /sys/fs/cgroup\S* && grep \. pids\.current pids\.max$",
    r"^grep (\.( /proc/\S+)+|-rl -e \S+ \S+)$",
    r"^find /sys/fs/cgroup -path '\*[0-9a-f]{64}\*' -name cgroup\.procs .* \| xargs -r ps ",
    r"^(ls|ip netns pids|findmnt) \S+$",
    # What umount leaves behind is an empty file; while anything is mounted on it the kernel refuses.
    r"^rm /\S*/netns/\S+$",
)
"""What only reads, or can not hit anything."""


def a_sicker_snapshot() -> Snapshot:
    """Return the sick node with an address that is reserved for nobody as well."""
    return with_names(a_sick_snapshot(), lambda _: hex_id("forgotten"), only=("owner_id of ReservedAddress",))


def nodes() -> list[Snapshot]:
    """Return nodes on which, together, every check that can be judged finds something."""
    sick = a_sicker_snapshot()
    pinned_elsewhere = with_names(
        sick, lambda path: path.replace("/run/netns/", "/run/containerd/netns/"), only=("path of NetworkPin",)
    )
    return [sick, with_zombies(a_snapshot(), 40, CONTAINERD_PID), pinned_elsewhere]


def findings_of(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what is found on a node that stays as it is."""
    return looked_at(snapshot, later(snapshot)).findings


def commands_of(*findings: Finding) -> list[str]:
    """Return all that these findings tell to type."""
    return [one.command for finding in findings for one in finding.next_commands]


def test_every_command_is_known_to_be_harmless_or_looks_first() -> None:
    """A new command has to be put into one of the two tables, by somebody who thought about it."""
    found = [finding for node in nodes() for finding in findings_of(node)]
    unknown = []
    for command in commands_of(*found):
        changing = [guard for change, guard in GUARDS.items() if re.search(change, command)]
        looks_first = changing and all(re.search(guard, command) for guard in changing)
        if not (looks_first or (not changing and any(re.search(one, command) for one in HARMLESS))):
            unknown.append(command)

    assert unknown == []
    silent = {check.id for check in all_checks()} - {finding.check for finding in found}
    assert silent <= SILENT, silent


def test_nothing_that_a_process_calls_itself_is_in_a_command() -> None:
    """It is told, in messages and evidence; it is never typed."""
    marked = with_names(a_sicker_snapshot(), lambda name: f"{name}{MARK}", only=CHOSEN_BY_A_PROCESS)
    found = findings_of(marked)

    told = "".join(f"{finding.message}{finding.evidence}" for finding in found)
    assert told.count(MARK) > 5
    assert [command for command in commands_of(*found) if MARK in command] == []
    assert commands_of(*found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What came of commands that were typed into a shell."""

    programs: frozenset[str]
    arguments: frozenset[str]
    calls: tuple[str, ...]
    """Programs with their arguments, in one line each."""

    files: tuple[str, ...]
    """In the working directory afterwards."""


def typed(commands: Iterable[str], folder: Path, shell: str, *, answers: str = "") -> Typed:
    """Type commands into a shell in which every program only tells how it was called.

    Args:
        commands: What is typed, one after the other.
        folder: For files of the test.
        shell: The program.
        answers: What a shell prints for a program, which is ``$name``, with its arguments; without it every condition
            of the commands holds.
    """
    programs, work, called, calls = (folder / name for name in ("programs", "work", "called", "calls"))
    for directory in (programs, work):
        directory.mkdir(exist_ok=True)
    called.write_text("")
    calls.write_text("")
    for name in (*PROGRAMS - {"cd", "test"}, "touch", "reboot"):
        stub = programs / name
        told = f'printf "%s\\n" "> {name}" "$@" >> "{called}"\necho "{name} $*" >> "{calls}"'
        stub.write_text(f"#!/bin/sh\n{told}\nname={name}\n{answers}\n")
        stub.chmod(0o755)
    # A subshell each, so that no command ends the others; what is behind a condition is typed as if that held.
    holding = () if answers else ("test() { :; }", "false() { :; }")
    script = "\n".join((*holding, "cd() { :; }", *(f"( {command}\n)" for command in commands)))
    subprocess.run([shell, "-n", "-c", script], check=True, capture_output=True)
    environment = {"PATH": str(programs), "HOME": str(work)}
    subprocess.run([shell, "-c", script], cwd=work, env=environment, capture_output=True, timeout=100, check=False)
    lines = called.read_text().splitlines()
    return Typed(
        programs=frozenset(line[2:] for line in lines if line.startswith("> ")),
        arguments=frozenset(lines),
        calls=tuple(calls.read_text().splitlines()),
        files=tuple(sorted(one.name for one in work.iterdir())),
    )


@pytest.mark.parametrize("more", HOSTILE, ids=lambda one: ascii(one)[:20])
def test_pasted_into_a_shell_nothing_else_runs(more: bytes | str, tmp_path: Path) -> None:
    """Only what the commands name is started, with each name as one whole argument, and no file appears."""
    snapshot = with_names(a_sicker_snapshot(), lambda text: hostile(text, more))
    commands = dict.fromkeys(commands_of(*findings_of(snapshot)))

    for shell in ("/bin/sh", "/bin/bash"):
        told = typed(commands, tmp_path, shell)
        assert told.programs <= PROGRAMS
        assert {"crictl", "kubectl", "ps", "rm"} <= told.programs
        assert {hostile("web-x", more), hostile("team-a", more), hostile(WEB_SANDBOX_ID, more)} <= told.arguments
        assert told.files == ()


LATER = f"""
case "$name $*" in
kubectl*" get "*) echo "{OTHER_UID} ";;
crictl*--quiet*) echo {hex_id("listed again")};;
findmnt*|readlink*) echo "net:[1]";;
"ip netns pids"*) echo 77;;
grep*) exit 1;;
esac
"""
"""How programs answer when whatever was found is another one by now: a pod, a mount, a namespace, a file."""

CHANGES = (
    *(r"ip netns delete ", r"umount ", r"nsenter .* ip link set ", r"rm /var/lib/cni/"),
    *(r"xargs -r kill$", r"ctr .* tasks delete --force "),
)
"""What is called to change something; the rest is given ids of sandboxes, containers and pods, never given twice."""


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/bash"])
def test_typed_too_late_nothing_is_changed(tmp_path: Path, shell: str) -> None:
    """Each command that changes something does so while all is as it was found, and nothing once it is another."""
    commands = [command for node in nodes() for command in commands_of(*findings_of(node))]

    in_time, late = typed(commands, tmp_path, shell), typed(commands, tmp_path, shell, answers=LATER)

    assert [one for one in CHANGES if not changed(in_time, one)] == []
    assert [one for one in CHANGES if changed(late, one)] == []
    assert len(late.calls) > len(in_time.calls) / 2


def changed(done: Typed, change: str) -> bool:
    """Return whether a program was called in a way that changes something."""
    return any(re.match(change, one) for one in done.calls)


def test_shell_of_this_page_would_notice(tmp_path: Path) -> None:
    """A name that is not quoted runs, or leaves a file."""
    assert typed(["crictl inspectp $(touch owned)"], tmp_path, "/bin/sh").programs == {"crictl", "touch"}
    assert typed(["crictl inspectp x > owned"], tmp_path, "/bin/bash").files == ("owned",)


def test_command_names_what_the_finding_is_about_and_nothing_else() -> None:
    """Every id in it stands in the finding's subject, evidence or message."""
    for finding in findings_of(a_sicker_snapshot()):
        about = f"{finding.subject.sandbox_id}{finding.evidence}{finding.message}"
        identifiers = re.findall(r"[0-9a-f]{64}", " ".join(commands_of(finding)))
        assert [one for one in identifiers if one not in about and one[:12] not in about] == [], finding.id
