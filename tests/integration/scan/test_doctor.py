"""``pausewatch doctor`` with less than a scan needs, on a real node: what is missing is named, and nothing else."""

from integration.support.program import Program
from lab.pods import Pod
from lab.shapes.runtime import RuntimeLab

WITHOUT_CAPABILITIES = "setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all"
"""Still user 0: what the node's root owns may be opened, and nobody may be traced who has more rights."""

HIDDEN_PROC = "mount -t proc -o hidepid=2 proc /proc"


def facts(program: Program, command: str) -> dict[str, str]:
    """Type a command that runs doctor, and return its lines by the name of the precondition, with what follows them."""
    found: dict[str, str] = {}
    name = ""
    for line in program.shell(command).splitlines():
        if line.startswith(("ok ", "MISSING ")):
            state, name = line.partition(": ")[0].split()
            found[name] = f"{state} {line.partition(': ')[2]}"
        elif line.startswith("    "):
            found[name] += f"\n{line.strip()}"
    return found


def test_without_sys_ptrace_the_links_are_lost(lab: RuntimeLab, program: Program) -> None:
    """The cause, what was tried, what is lost by it and what to do; the rest is as it was."""
    lab.run(Pod("web"))

    told = facts(program, f"{WITHOUT_CAPABILITIES} pausewatch doctor")

    missing = {name for name, one in told.items() if one.startswith("MISSING ")}
    assert missing == {"sys-ptrace", "namespace-links", "pinned-namespace"}
    assert "capabilities.add: [SYS_PTRACE]" in told["sys-ptrace"]
    assert "\nnot found  whether containers are in the Linux namespaces" in told["namespace-links"]
    assert told["runtime-version"].startswith("ok containerd ")


def test_hidden_processes_are_told(lab: RuntimeLab, program: Program) -> None:
    """A /proc with hidepid shows less to whoever may not trace, and all to whoever may."""
    lab.run(Pod("web"))

    hidden = facts(program, f"unshare --mount sh -c '{HIDDEN_PROC} && {WITHOUT_CAPABILITIES} pausewatch doctor'")
    traced = facts(program, f"unshare --mount sh -c '{HIDDEN_PROC} && pausewatch doctor'")

    assert hidden["hidepid"].startswith("MISSING /proc is mounted with hidepid=invisible\n")
    assert "\nto get it  run as root with CAP_SYS_PTRACE" in hidden["hidepid"]
    assert traced["hidepid"].startswith("ok ")
    assert [name for name, one in traced.items() if one.startswith("MISSING ")] == []
