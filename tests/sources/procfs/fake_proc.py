"""A folder that looks like /proc: for what no living process can be made to show."""

from collections.abc import Mapping
from pathlib import Path

INODES: Mapping[str, int] = {"net": 101, "ipc": 102, "uts": 103, "pid": 104, "user": 105}


def stat_line(  # noqa: PLR0913  a line has this many fields, and a test names the one it is about
    pid: int,
    *,
    name: bytes = b"sleep",
    state: str = "S",
    parent: int = 1,
    flags: int = 0x0040_0000,
    threads: int = 1,
    start_ticks: int = 1000,
) -> bytes:
    """Return the content of a stat file."""
    behind_name = f" {state} {parent} 1 1 0 -1 {flags} 96 0 0 0 12 4 0 0 20 0 {threads} 0 {start_ticks} 5812224 215\n"
    return b"%d (%s)%s" % (pid, name, behind_name.encode())


class FakeProc:
    """Holds process 1 and whatever is added to it."""

    def __init__(self, root: Path) -> None:
        self.path = root
        self.root = str(root)
        self.add(1, stat_line(1, name=b"init", parent=0))

    def add(
        self,
        pid: int,
        stat: bytes | None = None,
        *,
        cgroup: str = "0::/",
        links: Mapping[str, int] | None = None,
        schedstat: str | None = None,
    ) -> None:
        """Add a healthy process, or change one in place so that files which are open show the change.

        Without ``schedstat`` the kernel is one that does not count how often processes run.
        """
        folder = self.path / str(pid)
        (folder / "ns").mkdir(parents=True, exist_ok=True)
        (folder / "stat").write_bytes(stat_line(pid) if stat is None else stat)
        (folder / "cgroup").write_text(cgroup)
        (folder / "status").write_text(f"Name:\tsleep\nNSpid:\t{pid}\nCapEff:\t0000000000080000\n")
        if schedstat is not None:
            (folder / "schedstat").write_text(schedstat)
        for kind, inode in (INODES if links is None else links).items():
            link = folder / "ns" / kind
            link.unlink(missing_ok=True)
            link.symlink_to(f"{kind}:[{inode}]")

    def unlink(self, path: str) -> None:
        """Remove one file or link, as the kernel does step by step when a process ends."""
        (self.path / path).unlink()
