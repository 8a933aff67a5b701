"""Names that somebody on the node chose to confuse: none is believed, none reaches a terminal, and none a command."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from integration.support.observer import Observer
from integration.support.program import Program, installed
from lab import faults, hostile, strays
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.availability import Unavailable
from pausewatch.model.report import Finding
from pausewatch.sinks import report as report_object

NAMES = (
    b"\x1b[2J\x1b[31mred",
    b"a) Z 1 1 1 0 (",
    b"x\n# HELP up x\n",
    b"\xff\xfe\x80\xc3(",
    b"\xe2\x80\xaesrever",
    b"\r1 root",
    b"';reboot;#`id`$",
)
"""Of processes: 15 bytes at most. What a terminal obeys, what ends a field or a line, what is no UTF-8, what turns text
around, what a shell would run."""

ZOMBIES = 16

AT_ONCE = {check: {"lasting_seconds": 0.0} for check in ("unlisted-pause", "unmanaged-process", "orphaned-shim")}

LONG = "x" * 100_000
EVIL, NOBODY = "\x1b[31m\u202e';reboot;#", "f" * 64
"""Ids of a sandbox."""

#: A directory below a container's cgroup: what ends a line for Python but not for the kernel, and then another's place.
FORGED_LINES = "x{separator}8:pids:/kubepods/pod{uid}/{other}{separator}0::/kubepods/pod{uid}/{other}"
SEPARATORS = ("\v", "\r", "\x1e", "\x85", "\u2028")

MOUNT_POINTS = ("a\nb", "a b", "a\rb", "\x1b[31m", "\u2028", "39 31 0:36 / /forged rw - cgroup cgroup rw,pids")

#: As long as they may be for a kubelet to have a directory for the logs: namespace, name and uid in one file name.
LONGEST_NAMESPACE, LONGEST_POD, LONGEST_CONTAINER = "n" * 63, "p" * (255 - 63 - 36 - 2), "c" * 63

pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)


@pytest.fixture
def program(lab: RuntimeLab, tmp_path: object) -> Program:
    """A shell on the lab's node, with ``pausewatch`` on PATH."""
    return installed(tmp_path, lab)  # type: ignore[arg-type]


@pytest.mark.parametrize("called", NAMES)
def test_zombies_and_their_parent_with_a_name_to_confuse(lab: RuntimeLab, program: Program, called: bytes) -> None:
    """They are counted and attributed; the name is told escaped, and stands in no command."""
    running = hostile.dead_called(lab, ZOMBIES, called)
    with open(f"/proc/{running.pid()}/comm", "rb") as comm:  # noqa: PTH123
        assert comm.read() == called + b"\n"
    with Observer(lab) as observer:
        (finding,) = observer.findings(looks=2)

    assert (finding.check, str(finding.subject)) == ("zombie-buildup", "lab/called/app")
    assert is_harmless("".join(texts(finding)))
    assert not any(called.decode("ascii", "replace") in one.command for one in finding.next_commands)
    printed = program.run("scan", "--output=wide")
    assert is_harmless(printed.replace("\n", ""))
    assert f"pid {running.pid()} " in printed


def test_cgroup_that_forges_the_lines_of_another_one(lab: RuntimeLab) -> None:
    """Its processes stay those of the container that it is below."""
    running = lab.run(Pod("forger"))
    own = f"{lab.cgroup.pod(running.uid)}/{running.container_ids['app']}"
    with Observer(lab, thresholds=AT_ONCE) as observer:
        assert observer.findings(looks=2) == []
        for separator in SEPARATORS:
            forged = FORGED_LINES.format(separator=separator, uid=running.uid, other=NOBODY)
            with strays.process_below(own, forged) as pid:
                found = observer.look()
                assert not isinstance(found.snapshot.memberships, Unavailable)
                (place,) = [one for one in found.snapshot.memberships if one.identity.pid == pid]
                assert place.container_id == running.container_ids["app"]
                assert is_harmless(place.cgroup_path)
        assert observer.findings(looks=2) == []


def test_mounts_with_names_to_confuse(lab: RuntimeLab) -> None:
    """The bounds on processes, which are found by a mount, are read all the same."""
    points = [str(lab.places.run / "odd" / point.replace("/", "|")) for point in MOUNT_POINTS]
    for point in points:
        lab.enter("mkdir", "-p", point)
        lab.enter("mount", "-t", "tmpfs", "odd", point)
    try:
        faults.zombies(lab, ZOMBIES)
        with Observer(lab) as observer:
            found = [observer.look() for _ in range(2)][-1]
    finally:
        for point in points:
            lab.enter("umount", point)

    assert [one.check for one in observer.about_this_lab(found)] == ["zombie-buildup"]
    assert not isinstance(found.snapshot.pid_limits, Unavailable)


def test_shim_with_arguments_to_confuse(lab: RuntimeLab) -> None:
    """Whoever is root on the node may start one. An id that no runtime makes up is no finding, and is kept escaped.

    A true one is told, with 100 kB behind it too; before it they hide it.
    """
    lab.run(Pod("web"))
    address = ("-address", str(lab.places.socket))
    with (
        shim_called(lab, *address, "-id", EVIL) as evil,
        shim_called(lab, *address, LONG, "-id", NOBODY) as buried,
        shim_called(lab, *address, "-id", NOBODY, LONG) as told,
        Observer(lab, thresholds=AT_ONCE) as observer,
    ):
        found = observer.look_until("the shim to be told", observer.about_this_lab, 120)

        (finding,) = observer.about_this_lab(found)
        assert finding.check == "orphaned-shim"
        assert [one.value for one in finding.evidence if one.name == "monitor"] == [f"{told} containerd-shim"]
        assert is_harmless("".join(texts(finding)))
        assert not isinstance(found.snapshot.monitors, Unavailable)
        owners = {one.identity.pid: one.owner_id for one in found.snapshot.monitors}
        assert is_harmless(owners[evil])
        assert buried not in owners


def test_names_as_long_as_they_may_be(lab: RuntimeLab, program: Program) -> None:
    """A finding is told with all of them, and the report keeps its bounds."""
    container = Container(LONGEST_CONTAINER, command=("misbehave", "children", str(ZOMBIES)))
    running = lab.run(Pod(LONGEST_POD, namespace=LONGEST_NAMESPACE, containers=(container,)))
    with Observer(lab) as observer:
        found = observer.look_until("the zombies", observer.about_this_lab, 60)

        (finding,) = observer.about_this_lab(found)
        subject = finding.subject
        assert (subject.namespace, subject.pod) == (LONGEST_NAMESPACE, LONGEST_POD)
        (stored,) = [
            one for one in report_object.render(found.report)["status"]["findings"] if one["check"] == finding.check
        ]
        assert stored["pod"]["name"] == LONGEST_POD
        assert stored["container"] == LONGEST_CONTAINER
    assert f"pid {running.pid(LONGEST_CONTAINER)} " in program.run("scan", "--output=wide")
    assert LONGEST_POD in program.run("inspect", f"{LONGEST_NAMESPACE}/{LONGEST_POD}").replace("\n", "")


def texts(finding: Finding) -> Iterator[str]:
    """Everything in a finding that people read or type."""
    yield from (finding.id, finding.message)
    yield from (one.value for one in finding.evidence)
    yield from (one.command for one in finding.next_commands)


def is_harmless(text: str) -> bool:
    """Whether text holds nothing that moves a cursor, ends a line or turns text around."""
    return text.isprintable()


@contextmanager
def shim_called(lab: RuntimeLab, *arguments: str) -> Iterator[int]:
    """Run a process on the lab's node that looks like one of containerd's shims; gives its pid."""
    script = "echo containerd-shim >/proc/$$/comm; echo ready; read end"
    own = ["-c", script, "sh", "-namespace", "k8s.io", *arguments]
    on_the_node = ["nsenter", f"--mount=/proc/{lab.containerd.pid}/ns/mnt"]
    command = [*on_the_node, "bash", "-c", 'exec -a containerd-shim-runc-v2 bash "$@"', "bash", *own]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()
