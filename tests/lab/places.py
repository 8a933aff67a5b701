"""Where a lab keeps its things: fixed, short, and named after the lab, so that they are found after a crash."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

_RUN_ROOT = Path("/run/pausewatch-lab")
_STATE_ROOT = Path("/var/lib/pausewatch-lab")
#: Short, because a unix socket's path has at most 107 bytes; plain, because it becomes a cgroup and a path.
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}(/[a-z0-9][a-z0-9.-]{0,15})?")


@dataclass(frozen=True)
class Places:
    """The paths of one lab, the same outside and inside its mount namespace.

    A further node of a cluster is a lab inside that cluster's, called CLUSTER/NODE: its directories and its cgroup lie
    below the cluster's, so that whatever removes the cluster removes it too.
    """

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LabError(
                f"not a name for a lab: {self.name!r} (letters, digits, dots, dashes; at most 32;"
                " for a further node of a cluster a slash and its name behind it, at most 16)"
            )

    @property
    def outermost(self) -> "Places":
        """Those of the lab that this one lies in: the cluster's for a further node, else its own."""
        return Places(self.name.partition("/")[0])

    @property
    def nested_node(self) -> str:
        """The name of the further node whose places these are; empty for every other lab."""
        return self.name.partition("/")[2]

    @property
    def run(self) -> Path:
        """Sockets, pids and the runtime's state: what does not outlive a boot."""
        return _RUN_ROOT / self.name

    @property
    def state(self) -> Path:
        """Content, snapshots, programs of the lab. Not on /run, which many machines mount noexec."""
        return _STATE_ROOT / self.name

    @property
    def socket(self) -> Path:
        """The CRI socket."""
        return self.run / "containerd.sock"

    @property
    def log(self) -> Path:
        """What containerd writes."""
        return self.run / "containerd.log"

    @property
    def pod_logs(self) -> Path:
        """What pods print, one directory per pod, as below a node's /var/log/pods."""
        return self.run / "pods"

    @property
    def record(self) -> Path:
        """Who runs here: see `lab.records`."""
        return self.run / "lab.json"

    @property
    def faults(self) -> Path:
        """One file per container whose OCI configuration is falsified."""
        return self.run / "faults"

    @property
    def wrapper(self) -> Path:
        """What containerd takes for runc."""
        return self.state / "runc"

    @property
    def directories(self) -> tuple[Path, Path]:
        """Everything on disk."""
        return (self.run, self.state)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this lab while it is started or stopped; makes `run` and takes it away again when it is empty.

        The lock is on the directory itself, so that no lock file is left behind.
        """
        while True:
            self.run.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if not self._is_still(handle):
                    continue  # whoever held it before us removed the directory: lock the new one
                try:
                    yield
                finally:
                    # Interrupted before anything was in it; otherwise it is not empty, or gone.
                    with suppress(OSError):
                        self.run.rmdir()
            finally:
                os.close(handle)
            return

    def _is_still(self, handle: int) -> bool:
        try:
            return self.run.stat().st_ino == os.fstat(handle).st_ino
        except FileNotFoundError:
            return False


def lab_names() -> list[str]:
    """Names of the labs that have left anything on disk, running or not."""
    roots = (root for root in (_RUN_ROOT, _STATE_ROOT) if root.is_dir())
    return sorted({entry.name for root in roots for entry in root.iterdir() if entry.is_dir()})


def remove_empty_roots() -> None:
    """Take away the directories that held all labs, when the last lab is gone."""
    for root in (_RUN_ROOT, _STATE_ROOT):
        try:
            root.rmdir()
        except OSError:
            continue  # another lab lives there, or there was none
