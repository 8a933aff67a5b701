from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.sources.procfs import own_process
from pausewatch.sources.procfs.own_process import OwnProcess, facts

ROOT = OwnProcess(
    uid=0, is_root_of_the_node=True, may_inspect_others=True, hidepid="", apparmor_profile="", selinux_context=""
)
NAMES = ("root", "sys-ptrace", "hidepid", "apparmor", "selinux")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A proc file system in which we are the node's root with CAP_SYS_PTRACE, confined by nothing."""
    own = tmp_path / "self"
    (own / "attr").mkdir(parents=True)
    (own / "status").write_text("NSpid:\t42\nCapEff:\t0000000000080000\n")
    (own / "uid_map").write_text("         0          0 4294967295\n")
    (own / "mountinfo").write_text(f"21 95 0:20 / {tmp_path} rw,nosuid - proc proc rw\n")
    return tmp_path


def read(proc: Path, uid: int = 0) -> OwnProcess:
    """Read it, on a node without SELinux unless a file says otherwise."""
    return own_process.read(str(proc), uid, proc / "enforce")


def test_ordinary_root(proc: Path) -> None:
    """Everything is granted."""
    assert read(proc) == ROOT
    assert [(one.name, one.granted) for one in facts(ROOT, suffices=True)] == [(name, True) for name in NAMES]


def test_another_user(proc: Path) -> None:
    """Without root, what is lost and how to get it; unless nothing is lost."""
    own = read(proc, uid=1000)

    assert (own.uid, own.is_root_of_the_node) == (1000, False)
    lacking = facts(own, suffices=False)[0]
    assert (lacking.granted, lacking.detail) == (False, "user 1000")
    assert lacking.lost
    assert lacking.remedy.startswith("run as root")
    assert facts(own, suffices=True)[0].granted


def test_root_of_a_user_namespace(proc: Path) -> None:
    """Its rights end at the namespace: a rootless container, or hostUsers: false."""
    (proc / "self/uid_map").write_text("0 100000 65536\n")

    own = read(proc)
    assert not own.is_root_of_the_node
    assert facts(own, suffices=False)[0].detail == "user 0 of a user namespace, which is not the node's root"


def test_missing_capability(proc: Path) -> None:
    """Named with the field of a pod."""
    (proc / "self/status").write_text("NSpid:\t42\nCapEff:\t0000000000000000\n")

    fact = facts(read(proc), suffices=False)[1]
    assert (fact.granted, fact.detail) == (False, "CAP_SYS_PTRACE is not in effect")
    assert "SYS_PTRACE" in fact.remedy


@pytest.mark.parametrize(
    ("options", "hidepid"),
    [
        ("rw,hidepid=invisible", "invisible"),
        ("rw,gid=5,hidepid=2", "2"),
        ("rw,hidepid=off", ""),
        ("rw,hidepid=0", ""),
        ("rw", ""),
    ],
)
def test_hidepid(proc: Path, options: str, hidepid: str) -> None:
    """The mount that is on top counts; who may trace a process sees it all the same."""
    covered = f"20 95 0:20 / {proc} rw - proc proc rw,hidepid=4\n"
    (proc / "self/mountinfo").write_text(f"{covered}21 95 0:20 / {proc} rw - proc proc {options}\n")

    own = read(proc)
    assert own.hidepid == hidepid
    assert facts(own, suffices=True)[2].granted
    weak = facts(replace(own, may_inspect_others=False), suffices=True)[2]
    assert weak.granted is not bool(hidepid)


def test_other_file_systems_have_no_hidepid(proc: Path) -> None:
    """Another mount, or another type at the same place, tells nothing."""
    (proc / "self/mountinfo").write_text(
        f"21 95 0:20 / /elsewhere rw - proc proc rw,hidepid=2\n22 95 0:20 / {proc} rw - tmpfs x rw,hidepid=2\n"
    )

    assert read(proc).hidepid == ""


def test_apparmor(proc: Path) -> None:
    """A profile is a cause only where something could not be read."""
    (proc / "self/attr/current").write_text("cri-containerd.apparmor.d (enforce)\n")

    own = read(proc)
    assert facts(own, suffices=True)[3].granted
    fact = facts(own, suffices=False)[3]
    assert not fact.granted
    assert "cri-containerd.apparmor.d (enforce)" in fact.detail
    assert "Unconfined" in fact.remedy


@pytest.mark.parametrize(("enforce", "context"), [("1", "u:r:container_t:s0"), (None, "u:r:container_t:s0"), ("0", "")])
def test_selinux(proc: Path, enforce: str | None, context: str) -> None:
    """Whether it enforces is mostly not visible in a container; its context is."""
    (proc / "self/attr/current").write_text("u:r:container_t:s0\0")
    if enforce is not None:
        (proc / "enforce").write_text(enforce)

    own = read(proc)
    assert own.selinux_context == context
    assert facts(own, suffices=True)[4].granted
    assert facts(own, suffices=False)[4].granted is not bool(context)


def test_what_can_not_be_read_is_absent(tmp_path: Path) -> None:
    """No file, no right: nobody is called root for want of a file."""
    own = read(tmp_path)

    assert own == replace(ROOT, is_root_of_the_node=False, may_inspect_others=False)


def test_every_missing_fact_tells_what_is_lost_and_how_to_get_it() -> None:
    """Doctor prints both."""
    worst = OwnProcess(
        uid=1000,
        is_root_of_the_node=False,
        may_inspect_others=False,
        hidepid="2",
        apparmor_profile="x (enforce)",
        selinux_context="u:r:t",
    )
    missing = facts(worst, suffices=False)

    assert [one.granted for one in missing] == [False] * len(NAMES)
    assert all(one.lost and one.remedy for one in missing)
