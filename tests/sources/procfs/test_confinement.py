from pathlib import Path

import pytest

from pausewatch.sources.procfs import confinement

OF_CONTAINERD = "cri-containerd.apparmor.d (enforce)"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Our own process: root with CAP_SYS_PTRACE, in a kernel with AppArmor, confined by nothing."""
    (tmp_path / "self/attr/apparmor").mkdir(parents=True)
    (tmp_path / "self/status").write_text("NSpid:\t42\nCapEff:\t0000000000080000\n")
    (tmp_path / "self/attr/apparmor/current").write_text("unconfined\n")
    return tmp_path / "self"


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        (f"{OF_CONTAINERD}\n", OF_CONTAINERD),
        (f"{OF_CONTAINERD}\n\0", OF_CONTAINERD),
        ("/usr/bin/a program (kill)\n", "/usr/bin/a program (kill)"),
        ("\x1b[31m (enforce)\n", "\\x1b[31m (enforce)"),
        ("unconfined\n", ""),
        ("crio-default (complain)\n", ""),
        ("crun (unconfined)\n", ""),
        ("system_u:system_r:container_t:s0:c1,c2\0", ""),
        ("", ""),
    ],
)
def test_profile_that_keeps_us_from_something(own: Path, text: str, profile: str) -> None:
    """One that only complains does not, and SELinux is another matter."""
    (own / "attr/apparmor/current").write_text(text)

    assert confinement.apparmor_profile(str(own.parent)) == profile


def test_older_kernels_tell_it_elsewhere(own: Path) -> None:
    """Before 5.8 all security modules shared one file."""
    (own / "attr/apparmor/current").rename(own / "attr/current")
    (own / "attr/current").write_text(f"{OF_CONTAINERD}\n")

    assert confinement.apparmor_profile(str(own.parent)) == OF_CONTAINERD


def test_kernel_without_apparmor(own: Path) -> None:
    """There is no such file."""
    (own / "attr/apparmor/current").unlink()

    assert confinement.apparmor_profile(str(own.parent)) == ""


def test_remedy_for_a_confined_agent(own: Path) -> None:
    """It names the profile and what to write into the pod; the capability is there."""
    (own / "attr/apparmor/current").write_text(f"{OF_CONTAINERD}\n")

    remedy = confinement.remedy(str(own.parent))

    assert OF_CONTAINERD in remedy
    assert "appArmorProfile: {type: Unconfined}" in remedy
    assert "CAP_SYS_PTRACE" not in remedy


def test_remedy_for_an_ordinary_user(own: Path) -> None:
    """AppArmor has no part in it."""
    (own / "status").write_text("NSpid:\t42\nCapEff:\t0000000000000000\n")

    assert confinement.remedy(str(own.parent)) == "run as root with CAP_SYS_PTRACE"


def test_remedy_for_both(own: Path) -> None:
    """Either alone would not help."""
    (own / "status").unlink()
    (own / "attr/apparmor/current").write_text(f"{OF_CONTAINERD}\n")

    remedy = confinement.remedy(str(own.parent))

    assert remedy.startswith("run as root with CAP_SYS_PTRACE; run without the AppArmor profile")


def test_remedy_when_neither_is_why(own: Path) -> None:
    """What else denies, is for people to look at."""
    assert "SELinux" in confinement.remedy(str(own.parent))
