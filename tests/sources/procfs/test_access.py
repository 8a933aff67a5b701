from dataclasses import replace

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceLinks
from pausewatch.model.process import FirstProcess, Identity
from pausewatch.sources.procfs import access
from pausewatch.sources.procfs.status import Status

DENIED = Unavailable(reason="PermissionDenied", detail="ns may not be read", remedy="run as root")
EXITED = Unavailable(reason="ProcessExited", detail="process 42 has exited")
READABLE = FirstProcess(
    owner_id="a",
    identity=Identity(pid=42, start_ticks=1),
    links=NamespaceLinks(network=1, ipc=2, uts=3, pid=4, user=5),
    in_own_cgroup=True,
)
MAY_INSPECT = Status(pids=(1,), effective_capabilities=1 << 19)
MAY_NOT_INSPECT = Status(pids=(1,), effective_capabilities=0)


def test_links_that_were_read_prove_the_permission() -> None:
    """Whatever the capabilities say: a process that is dead takes nothing away."""
    first_processes = (READABLE, replace(READABLE, links=EXITED))

    assert access.links(first_processes, MAY_NOT_INSPECT).granted


def test_links_that_were_denied_refute_the_capability() -> None:
    """AppArmor denies in spite of CAP_SYS_PTRACE."""
    fact = access.links((READABLE, replace(READABLE, links=DENIED)), MAY_INSPECT)

    assert not fact.granted
    assert fact.detail.startswith("1 of 2 ")
    assert fact.lost
    assert fact.remedy == DENIED.remedy


def test_links_of_which_none_was_readable() -> None:
    """The section's own reason is told."""
    fact = access.links(DENIED, MAY_INSPECT)

    assert not fact.granted
    assert (fact.detail, fact.remedy) == (DENIED.detail, DENIED.remedy)


def test_capability_counts_where_nothing_was_tried() -> None:
    """A node without pods, or a runtime that does not answer."""
    without = access.links((), MAY_NOT_INSPECT)

    assert access.links((), MAY_INSPECT).granted
    assert not without.granted
    assert "CAP_SYS_PTRACE" in without.remedy
    assert not access.links((), EXITED).granted
    assert not access.links((), None).granted


def test_process_list() -> None:
    """Hidden processes take everything away."""
    hidden = access.process_list(Unavailable(reason="ProcessesHidden", detail="hidepid", remedy="remount"))

    assert access.process_list(()).granted
    assert not hidden.granted
    assert hidden.lost
    assert hidden.remedy == "remount"


def test_boot_id() -> None:
    """Without it two boots look alike."""
    without = access.boot_id(Unavailable(reason="ProcUnreadable", detail="no boot_id"))

    assert access.boot_id("f7a3c5de").granted
    assert not without.granted
    assert without.lost
    assert without.remedy


def test_pins_that_one_right_would_show_are_one_fact() -> None:
    """A hundred pods would hide the rest of the page behind a hundred times the same three lines."""
    gone = Unavailable(reason="PinMissing", detail="pin is gone")
    denied, other = access.pins([DENIED, gone, DENIED, DENIED])

    assert (denied.detail, denied.remedy) == ("ns may not be read, and 2 more like it", "run as root")
    assert other.detail == "pin is gone"


def test_pins() -> None:
    """What is missing, with something to do about it."""
    assert access.pins(()) == ()
    (fact,) = access.pins([Unavailable(reason="PinMissing", detail="pin is gone")])
    assert not fact.granted
    assert fact.detail == "pin is gone"
    assert fact.lost
    assert fact.remedy


def test_cgroups() -> None:
    """Without them no process belongs to a container."""
    assert access.cgroups("v2").granted
    missing = access.cgroups("")
    assert not missing.granted
    assert missing.lost
    assert missing.remedy
