r"""Why the kernel refuses to show another process, as far as our own process can tell.

``/proc/self/attr/apparmor/current``, before Linux 5.8 ``/proc/self/attr/current``, names the AppArmor profile that
confines us, and how (proc_pid_attr(5))::

    cri-containerd.apparmor.d (enforce)

The default profile of container runtimes lets a process look only at processes of the same profile, whatever its
capabilities (``ptrace (trace,read,tracedby,readby) peer=...``, containerd contrib/apparmor/template.go). Containers
have it, and pauses have none: such an agent sees apps and no pause.
"""

import re
from pathlib import Path

from pausewatch.model.text import printable
from pausewatch.sources.procfs import status

_CONFINED = re.compile(r"(?P<name>.+) \((?P<mode>[a-z]+)\)")
_HARMLESS_MODES = ("complain", "unconfined")
_LONGEST_NAME = 80


def apparmor_profile(root: str) -> str:
    """Return the AppArmor profile that keeps this process from anything, with its mode; empty if there is none.

    SELinux has the second file as well, with a text of another form.
    """
    for file in ("apparmor/current", "current"):
        try:
            text = Path(root, "self", "attr", file).read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue  # no AppArmor in this kernel, or an older kernel
        found = _CONFINED.fullmatch(text.strip("\0\n"))
        return printable(found[0], _LONGEST_NAME) if found and found["mode"] not in _HARMLESS_MODES else ""
    return ""


def remedy(root: str) -> str:
    """Return what to do when a process, which is there, may not be looked at; starts with a verb.

    The same text for all processes, so that a stored report does not change with them.
    """
    own = status.read(root)
    profile = apparmor_profile(root)
    wanted = []
    if not isinstance(own, status.Status) or not own.may_inspect_others:
        wanted.append("run as root with CAP_SYS_PTRACE")
    if profile:
        wanted.append(
            f"run without the AppArmor profile {profile}, the probable cause (in a pod: securityContext"
            " appArmorProfile: {type: Unconfined})"
        )
    return "; ".join(wanted) or "look for what SELinux denies, and mount /proc without hidepid"
