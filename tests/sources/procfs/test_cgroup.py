import os

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs import cgroup
from sources.procfs.fake_proc import FakeProc
from sources.procfs.living import as_nobody

ID = "6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
OTHER = "0123456789abcdef" * 4
UID = "2595976c-bc45-40c5-b56f-faaf68d2f9c4"
SYSTEMD_UID = UID.replace("-", "_")
STATIC = "5dc6ebb5a2a0eb2ff3b7ad1f7e0a9f70"


@pytest.mark.parametrize(
    "path",
    [
        f"/kubepods/pod{UID}/{ID}",
        f"/kubepods/besteffort/pod{UID}/{ID}",
        f"/kubepods/burstable/pod{STATIC}/{ID}",
        f"/kubepods/burstable/podchosen-by-hand/{ID}",
        f"/kubepods/burstable/pod{UID}/crio-{ID}",
        f"/crio-rig/crio-{ID}",
        f"/kubepods.slice/kubepods-pod{SYSTEMD_UID}.slice/cri-containerd-{ID}.scope",
        f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SYSTEMD_UID}.slice/crio-{ID}.scope",
        f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{STATIC}.slice/docker-{ID}.scope",
        f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{SYSTEMD_UID}.slice/cri-containerd-{ID}.scope",
        f"/kubepods-besteffort-pod{SYSTEMD_UID}.slice:cri-containerd:{ID}",
        f"/system.slice/containerd.service/kubepods-besteffort-pod{SYSTEMD_UID}.slice:cri-containerd:{ID}",
        f"/kubepods.slice/kubepods-pod{SYSTEMD_UID}.slice/crio-{ID}.scope/container",
        f"/kubepods/pod{UID}/{ID}/docker/{OTHER}",
        f"/kubepods/pod{UID}/{ID}/kubepods/pod{UID}/{OTHER}",
        f"/docker/{OTHER}/kubelet/kubepods/burstable/pod{UID}/{ID}",
        f"/docker/{OTHER}/kubelet.slice/kubelet-kubepods-pod{SYSTEMD_UID}.slice/cri-containerd-{ID}.scope",
        f"/machine.slice/libpod-{ID}.scope/container",
        f"/../{ID}",
        f"/../../pod{UID}/{ID}",
        f"/../../../burstable/pod{UID}/{ID}",
        f"/../cri-containerd-{ID}.scope",
        f"/kubepods/pod{UID}/{ID} (deleted)",
        f"/../cri-containerd-{ID}.scope (deleted)",
    ],
)
def test_container_in_a_path(path: str) -> None:
    """Every form in which runtimes name a container, seen from the node or from a cgroup namespace of our own."""
    assert cgroup.container_id(f"0::{path}\n") == ID


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/init.scope",
        "/system.slice/containerd.service",
        f"/kubepods/burstable/pod{UID}",
        f"/kubepods/pod{UID}/crio-conmon-{ID}",
        f"/kubepods.slice/kubepods-pod{SYSTEMD_UID}.slice/crio-conmon-{ID}.scope",
        f"/machine.slice/libpod-conmon-{ID}.scope",
        f"/docker/{OTHER}/kubelet/kubepods/burstable/pod{UID}",
        f"/kubepods/pod{UID}/{ID[:63]}",
        f"/kubepods/pod{UID}/{ID}0",
        f"/kubepods/pod{UID}/{ID.upper()}",
    ],
)
def test_path_without_a_container(path: str) -> None:
    """The node's own, a pod's, the monitor of a container, the container that is the node: none of them."""
    assert cgroup.container_id(f"0::{path}\n") is None


@pytest.mark.parametrize(
    "text",
    [
        f"9:name=systemd:/kubepods/pod{UID}/{ID}\n8:pids:/\n0::/\n",
        f"8:pids:/kubepods/pod{UID}/{ID}\n4:memory:/\n0::/\n",
        f"5:cpu,memory:/kubepods/pod{UID}/{ID}\n",
        f"8:pids:/\n0::/kubepods/pod{UID}/{ID}\n",
    ],
)
def test_any_hierarchy_that_a_runtime_uses_will_do(text: str) -> None:
    """On version 1 each hierarchy has a path of its own; a zombie keeps that of version 2 only."""
    assert cgroup.container_id(text) == ID


@pytest.mark.parametrize("text", ["", "\n", "0:", "nonsense", ":::", "1:cpuset"])
def test_unknown_lines_name_nothing(text: str) -> None:
    """A later kernel may add lines; they are passed over."""
    assert cgroup.container_id(text) is None


@pytest.mark.parametrize("separator", ["\r", "\v", "\f", "\x1c", "\x1e", "\x85", "\u2028"])
def test_name_of_a_cgroup_can_not_forge_a_line(separator: str) -> None:
    """The kernel refuses a newline in it only: a container that may make cgroups below its own chooses the rest."""
    forged = f"0::/kubepods/pod{UID}/{ID}/x{separator}8:pids:/kubepods/pod{UID}/{OTHER}\n"

    assert cgroup.container_id(forged) == ID
    assert cgroup.version(forged) == "v2"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("0::/init.scope\n", "v2"),
        ("1:name=systemd:/\n0::/\n", "v2"),
        ("8:pids:/\n4:memory:/\n", "v1"),
        ("9:name=systemd:/\n8:pids:/\n0::/\n", "hybrid"),
        ("1:name=systemd:/\n", ""),
        ("", ""),
    ],
)
def test_version(text: str, version: str) -> None:
    """A hierarchy without controllers does not make a version."""
    assert cgroup.version(text) == version


def test_reading() -> None:
    """The file of a living process."""
    text = cgroup.read("/proc", os.getpid())

    assert isinstance(text, str)
    assert cgroup.version(text) in ("v1", "v2", "hybrid")


def test_path_that_is_not_utf8(proc: FakeProc) -> None:
    """Folders of the cgroup file system may have any name."""
    proc.add(42)
    (proc.path / "42/cgroup").write_bytes(f"0::/kubepods/pod{UID}/{ID}/".encode() + b"\xff\n")

    text = cgroup.read(proc.root, 42)

    assert isinstance(text, str)
    assert cgroup.container_id(text) == ID


@pytest.mark.parametrize("separator", ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_name_of_a_cgroup_forges_no_line(separator: str) -> None:
    """The kernel refuses a newline in it and nothing else; a container may make cgroups below its own."""
    forged = separator.join(("inner", f"8:pids:/kubepods/pod{UID}", f"{OTHER}", f"0::/kubepods/pod{UID}", OTHER))
    text = f"0::/kubepods/pod{UID}/{ID}/{forged}\n"

    assert cgroup.container_id(text) == ID
    assert cgroup.version(text) == "v2"
    assert cgroup.path_in(text, "pids") is None


def test_gone_and_denied(proc: FakeProc) -> None:
    """None is gone; denied says so."""
    proc.add(42)
    (proc.path / "42/cgroup").chmod(0o400)

    denied = as_nobody(lambda: cgroup.read(proc.root, 42))

    assert cgroup.read(proc.root, 43) is None
    assert isinstance(denied, Unavailable)
    assert denied.reason == "PermissionDenied"


def test_path_of_one_hierarchy() -> None:
    """By controller, also where several share one; empty for version 2."""
    text = "8:pids:/a\n4:cpu,cpuacct:/b\n0::/c (deleted)\n"

    assert [cgroup.path_in(text, name) for name in ("pids", "cpuacct", "", "memory")] == ["/a", "/b", "/c", None]


@pytest.mark.parametrize(
    ("path", "root"),
    [
        (f"/kubepods/besteffort/pod{UID}/{ID}", ""),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SYSTEMD_UID}.slice/crio-{ID}.scope", ""),
        (f"/kubepods-besteffort-pod{SYSTEMD_UID}.slice:cri-containerd:{ID}", ""),
        (f"/docker/{OTHER}/kubelet/kubepods/burstable/pod{UID}/{ID}", f"/docker/{OTHER}/kubelet"),
        (f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{SYSTEMD_UID}.slice/{ID}", "/kubelet.slice"),
        (f"/kubepods/pod{UID}/{ID}/kubepods/pod{UID}/{OTHER}", ""),
        (f"/../../pod{UID}/{ID}", "/../.."),
        (f"/k8s.io/{ID}", None),
        (f"/system.slice/nerdctl-{ID}.scope", None),
        (f"/docker/{ID}", None),
        ("/", None),
    ],
)
def test_what_stands_in_front_of_pods(path: str, root: str | None) -> None:
    """Tells the pods of one kubelet from those of another, and from what was started beside any."""
    assert cgroup.pods_root(path) == root


def test_path_that_names_the_container() -> None:
    """Of all hierarchies the one in which runtimes place containers in any case."""
    text = f"9:cpuset:/\n8:pids:/kubepods/pod{UID}/{ID}\n0::/\n"

    assert cgroup.container(text) == (f"/kubepods/pod{UID}/{ID}", ID)
    assert cgroup.container("0::/init.scope\n") is None
