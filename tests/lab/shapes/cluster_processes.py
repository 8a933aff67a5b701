"""Starting, finding and ending the daemons of a cluster: each has a cgroup of its own, and is found by it."""

import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.cgroups import LabCgroup, hierarchies
from lab.errors import LabError
from lab.pid_namespaces import pid_namespace_of
from lab.processes import Process, find_process
from lab.waiting import wait_until

#: Seconds for a daemon to be in its cgroup.
_ENTRY_SECONDS = 10.0
#: Seconds for a killed daemon to be gone.
_END_SECONDS = 10.0
_LOG_TAIL_LINES = 15

_ENTER = """\
for cgroup in $LAB_CGROUPS; do echo $$ >"$cgroup/cgroup.procs"; done
exec nsenter --target="$LAB_INSIDE" --mount --net --ipc --uts "$@"
"""


@dataclass(frozen=True)
class Daemon:
    """One daemon of one lab.

    Attributes:
        lab: The lab's name.
        name: The daemon's, which is the name of its cgroup.
        log: What it writes, appended to at each start.
    """

    lab: str
    name: str
    log: Path

    def find(self) -> Process | None:
        """Its process; None when it does not run."""
        file = hierarchies()[0].directory(self._cgroup) / "cgroup.procs"
        try:
            pids = [int(line) for line in file.read_text().splitlines()]
        except FileNotFoundError:
            return None
        found = [process for pid in pids if (process := find_process(pid)) is not None and process.is_alive()]
        # It may be running a child at this moment, and a child is younger.
        return min(found, key=lambda process: process.start_time, default=None)

    def start(self, inside: Process, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it; it need not be ready yet.

        Args:
            inside: A process in the Linux namespaces of the node it belongs to.
            command: Program and arguments.
            environment: All of its environment but PATH.

        Raises:
            LabError: It runs already, or ended at once; then this ends with its log.
        """
        if running := self.find():
            raise LabError(f"{self.name} runs already, pid {running.pid}")
        own = LabCgroup(self.lab).create(self._cgroup)
        entry = {"LAB_CGROUPS": " ".join(map(str, own)), "LAB_INSIDE": str(inside.pid)}
        with self.log.open("a") as log, pid_namespace_of(inside.pid):
            process = subprocess.Popen(
                ["sh", "-euc", _ENTER, "sh", *command],
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment, **entry},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is for us
            )
        # Its first step is the one into its cgroup, where it is found.
        wait_until(f"{self.name} to start", lambda: self.find() or process.poll() is not None, _ENTRY_SECONDS)
        if process.poll() is not None:
            raise LabError(f"{self.name} ended at once with {process.returncode}{self.log_tail()}")
        # Waited for in the background: whoever kills our child, it must not stay a zombie while we live.
        threading.Thread(target=process.wait, name=f"lab-{self.name}", daemon=True).start()

    def kill(self) -> None:
        """End it at once, as a crash would; one that does not run is fine.

        Raises:
            WaitTimeoutError: It survived SIGKILL for 10 s.
        """
        wait_until(f"{self.name} to end", self._try_kill, _END_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal.

        Raises:
            LabError: It does not run.
        """
        process = self.find()
        if process is None:
            raise LabError(f"{self.name} does not run{self.log_tail()}")
        process.send(number)

    def await_ready(self, what: str, probe: Callable[[], bool], limit_seconds: float) -> None:
        """Wait until `probe` is true.

        Args:
            what: What is waited for, as it reads after "waited 5 s for".
            probe: Asked again and again.
            limit_seconds: The longest this may take.

        Raises:
            WaitTimeoutError: It took longer.
            LabError: The daemon ended; ends with its log.
        """
        wait_until(what, lambda: probe() or not self.find(), limit_seconds)
        if not self.find():
            raise LabError(f"{self.name} ended while it started{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines it wrote, ready to end an error; empty when it wrote nothing."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:] if self.log.exists() else []
        return "; its log ends:\n  " + "\n  ".join(lines) if lines else ""

    @property
    def _cgroup(self) -> str:
        return f"{LabCgroup(self.lab).path}/{self.name}"

    def _try_kill(self) -> bool:
        process = self.find()
        if process is not None:
            process.send(signal.SIGKILL)
        return process is None
