r"""What our own process is to the kernel: the causes for which the files of other processes may not be read.

What was tried counts more than any of them (``access.links``): a cause is called missing only where reading failed, or
where there was nothing to try it on.

``/proc/self/mountinfo`` (proc_pid_mountinfo(5)) tells the options of the mounted /proc behind the type::

    21 95 0:20 / /proc rw,nosuid - proc proc rw,hidepid=invisible

``/proc/self/uid_map`` (user_namespaces(7)) tells whether root here is root on the node: only in the first user
namespace are all 4294967295 users mapped to themselves. Under SELinux ``/proc/self/attr/current`` is a context of
four parts.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pausewatch.model.access import AccessFact
from pausewatch.model.text import printable
from pausewatch.sources.procfs import status
from pausewatch.sources.procfs.confinement import apparmor_profile

ALL_USERS = ["0", "0", "4294967295"]

LOST = "the runtime's socket, which is root's as a rule, or the Linux namespaces of other users' processes"
LOST_LINKS = "whether containers are in the Linux namespaces they should be in, and whose the zombies are"

_HIDEPID = re.compile(r"\bhidepid=(\w+)")
_SHOWS_ALL = ("0", "off")
_CONTEXT = re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+(:\S+)?")
_LONGEST_CONTEXT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnProcess:
    """Ourselves, as far as the kernel tells; it stays so while a process lives."""

    uid: int
    is_root_of_the_node: bool
    may_inspect_others: bool
    """CAP_SYS_PTRACE is in effect."""

    hidepid: str
    """The option of the mounted /proc; empty if it shows all processes to everybody."""

    apparmor_profile: str
    """The one that keeps us from anything; empty if there is none."""

    selinux_context: str
    """Empty without SELinux, or where it only warns."""


def read(root: str, uid: int, enforce_file: Path = Path("/sys/fs/selinux/enforce")) -> OwnProcess:
    """Return what our own process is; what can not be read counts as absent.

    Args:
        root: Where the proc file system is mounted.
        uid: The effective one.
        enforce_file: Where SELinux tells whether it enforces; it is not visible in most containers.
    """
    own = status.read(root)
    first_namespace = _text(f"{root}/self/uid_map").split() == ALL_USERS
    return OwnProcess(
        uid=uid,
        is_root_of_the_node=uid == 0 and first_namespace,
        may_inspect_others=isinstance(own, status.Status) and own.may_inspect_others,
        hidepid=_hidepid(_text(f"{root}/self/mountinfo"), root),
        apparmor_profile=apparmor_profile(root),
        selinux_context=_context(root) if _text(str(enforce_file)).strip() != "0" else "",
    )


def facts(own: OwnProcess, *, suffices: bool) -> tuple[AccessFact, ...]:
    """Return what our own process is, as preconditions of a scan.

    Args:
        own: Ourselves.
        suffices: Whether what had to be read could be read, so that whatever is missing is not missed.
    """
    return (
        _user(own, suffices=suffices),
        _ptrace(own, suffices=suffices),
        _hidden(own),
        _apparmor(own, suffices=suffices),
        _selinux(own, suffices=suffices),
    )


def _user(own: OwnProcess, *, suffices: bool) -> AccessFact:
    name = "root"
    if own.is_root_of_the_node:
        return AccessFact(name=name, granted=True, detail="user 0")
    who = "user 0 of a user namespace, which is not the node's root" if own.uid == 0 else f"user {own.uid}"
    if suffices:
        return AccessFact(name=name, granted=True, detail=f"{who}; what there is to read could be read all the same")
    remedy = "run as root: sudo, or in a pod runAsUser: 0 without hostUsers: false"
    return AccessFact(name=name, granted=False, detail=who, lost=LOST, remedy=remedy)


def _ptrace(own: OwnProcess, *, suffices: bool) -> AccessFact:
    name = "sys-ptrace"
    if own.may_inspect_others:
        return AccessFact(name=name, granted=True, detail="CAP_SYS_PTRACE is in effect")
    detail = "CAP_SYS_PTRACE is not in effect"
    if suffices:
        return AccessFact(name=name, granted=True, detail=f"{detail}; what there is to read could be read all the same")
    remedy = "run as root with CAP_SYS_PTRACE (in a pod: securityContext.capabilities.add: [SYS_PTRACE])"
    return AccessFact(name=name, granted=False, detail=detail, lost=LOST_LINKS, remedy=remedy)


def _hidden(own: OwnProcess) -> AccessFact:
    """Return whether /proc shows all processes (kernel: fs/proc/base.c, has_pid_permissions)."""
    name = "hidepid"
    if not own.hidepid:
        return AccessFact(name=name, granted=True, detail="/proc is mounted without it")
    mounted = f"/proc is mounted with hidepid={own.hidepid}"
    if own.may_inspect_others:
        return AccessFact(name=name, granted=True, detail=f"{mounted}, which does not hold for CAP_SYS_PTRACE")
    remedy = "run as root with CAP_SYS_PTRACE, or mount -o remount,hidepid=0 /proc"
    return AccessFact(name=name, granted=False, detail=mounted, lost="processes of other users", remedy=remedy)


def _apparmor(own: OwnProcess, *, suffices: bool) -> AccessFact:
    name, profile = "apparmor", own.apparmor_profile
    if not profile:
        return AccessFact(name=name, granted=True, detail="no profile confines this process")
    if suffices:
        return AccessFact(name=name, granted=True, detail=f"the profile {profile} confines it, and lets it read enough")
    return AccessFact(
        name=name,
        granted=False,
        detail=f"the profile {profile} confines this process",
        lost=LOST_LINKS,
        remedy="run without it (in a pod: securityContext.appArmorProfile: {type: Unconfined})",
    )


def _selinux(own: OwnProcess, *, suffices: bool) -> AccessFact:
    name, context = "selinux", own.selinux_context
    if not context:
        return AccessFact(name=name, granted=True, detail="it enforces nothing on this process")
    if suffices:
        return AccessFact(name=name, granted=True, detail=f"runs as {context}, which may read enough")
    return AccessFact(
        name=name,
        granted=False,
        detail=f"runs as {context}",
        lost=LOST,
        remedy="look for what it denies with ausearch -m avc (in a pod: securityContext.seLinuxOptions: {type: spc_t})",
    )


def _hidepid(mountinfo: str, root: str) -> str:
    """Return the option of the last file system of type proc that is mounted there; empty if it shows all."""
    option = ""
    for line in mountinfo.splitlines():
        mount, _, kind = line.partition(" - ")
        if mount.split()[4:5] == [root] and kind.startswith("proc "):
            found = _HIDEPID.search(kind)
            option = printable(found[1]) if found and found[1] not in _SHOWS_ALL else ""
    return option


def _context(root: str) -> str:
    text = _text(f"{root}/self/attr/current").strip("\0\n")
    return printable(text, _LONGEST_CONTEXT) if _CONTEXT.fullmatch(text) else ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""  # a kernel without it, or a file system that is not mounted here
