import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import PinnedNamespace
from pausewatch.sources.procfs import pinned
from sources.procfs.living import as_nobody, running

PIN_AND_WAIT = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$0"
mkdir -p "$0/run/netns"
ln -s /run "$0/var-run"
touch "$0/run/netns/pin" "$0/run/netns/plain"
mount --bind /proc/self/ns/net "$0/run/netns/pin"
exec unshare --root="$0" /ready
"""


@contextmanager
def runtime_with_a_pin(folder: Path) -> Iterator[int]:
    """Run a process with a mount namespace and a root folder of its own, in which a namespace is pinned."""
    source = folder / "ready.c"
    source.write_text(
        '#include <unistd.h>\nint main(void) { write(1, "ready\\n", 6); return read(0, &(char){0}, 1) < 0; }\n'
    )
    program = folder / "ready"
    subprocess.run(["cc", "-static", "-o", program, source], check=True)
    script = PIN_AND_WAIT.replace("exec", f'cp {program} "$0/ready"\nexec')
    mount_point = folder / "root"
    mount_point.mkdir()
    with running("unshare", "--mount", "sh", "-c", script, str(mount_point)) as process:
        yield process.pid


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a root folder with /run/netns/pin."""
    (tmp_path / "run" / "netns").mkdir(parents=True)
    (tmp_path / "run" / "netns" / "pin").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("var", "/"),
        ("var/run", "/run"),
        ("var/run", "../run"),
        ("var/run", "/../../../run"),
        ("var/run", "./../run/."),
        ("var/run", "../lib/../run"),
    ],
)
def test_links_are_followed_inside_the_root(root: Path, link: str, target: str) -> None:
    """An absolute link starts at that root, and no number of dots leads out of it."""
    (root / "lib").mkdir()
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(target)

    assert pinned.resolve_in_root(str(root), "/var/run/netns/pin") == root / "run/netns/pin"


def test_path_without_links(root: Path) -> None:
    """Dots and doubled slashes are what they are elsewhere."""
    assert pinned.resolve_in_root(str(root), "//run/./netns/../netns/pin") == root / "run/netns/pin"
    assert pinned.resolve_in_root(str(root), "/../..") == root


def test_link_as_the_last_part(root: Path) -> None:
    """What it points to counts, not the link."""
    (root / "alias").symlink_to("run/netns/pin")

    assert pinned.resolve_in_root(str(root), "/alias") == root / "run/netns/pin"


def test_links_in_a_circle(root: Path) -> None:
    """They end."""
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("/a")

    with pytest.raises(pinned.TooManyLinksError):
        pinned.resolve_in_root(str(root), "/a")


def test_links_that_multiply(root: Path) -> None:
    """Each names the next twice: 2 to the power of 30 steps, if nobody counted."""
    (root / "link0").symlink_to(".")
    for number in range(1, 31):
        (root / f"link{number}").symlink_to(f"link{number - 1}/link{number - 1}")

    with pytest.raises(pinned.TooManyLinksError):
        pinned.resolve_in_root(str(root), "/link30")


def test_part_that_does_not_exist(root: Path) -> None:
    """Nothing is made up behind it."""
    with pytest.raises(FileNotFoundError):
        pinned.resolve_in_root(str(root), "/run/nowhere/../netns/pin")


@pytest.mark.parametrize("path", ["/run/netns/\0pin", "/run/\ud800"])
def test_text_that_no_file_can_be_named(root: Path, path: str) -> None:
    """JSON of a runtime may hold both; os.lstat would raise another error than for a file that is not there."""
    with pytest.raises(FileNotFoundError):
        pinned.resolve_in_root(str(root), path)


def test_namespace_pinned_in_the_mount_namespace_of_the_runtime(tmp_path: Path) -> None:
    """Its inode number is that of the namespace; the path stays the runtime's; an ordinary file there is none."""
    with runtime_with_a_pin(tmp_path) as runtime:
        found = {
            path: pinned.read("/proc", runtime, path)
            for path in ("/run/netns/pin", "/var-run/netns/pin", "/run/netns/plain", "/run/netns/gone")
        }
        denied = as_nobody(lambda: pinned.read("/proc", runtime, "/run/netns/pin"))

    inode = Path("/proc/self/ns/net").stat().st_ino
    assert found["/run/netns/pin"] == PinnedNamespace(path="/run/netns/pin", inode=inode)
    assert found["/var-run/netns/pin"] == PinnedNamespace(path="/var-run/netns/pin", inode=inode)
    for path, reason in (("/run/netns/plain", "PinNotMounted"), ("/run/netns/gone", "PinMissing")):
        missing = found[path]
        assert isinstance(missing, Unavailable)
        assert missing.reason == reason
        assert path in missing.detail
    assert isinstance(denied, Unavailable)
    assert denied.reason == "PermissionDenied"


def test_circle_is_reported(root: Path) -> None:
    """With the path, so that somebody can look."""
    process = root / "proc" / "9"
    (root / "proc" / "self" / "ns").mkdir(parents=True)
    (root / "proc" / "self" / "ns" / "net").touch()
    process.mkdir()
    (process / "root").symlink_to(root)
    (root / "loop").symlink_to("loop")

    found = pinned.read(str(root / "proc"), 9, "/loop")

    assert isinstance(found, Unavailable)
    assert "/loop" in found.detail
