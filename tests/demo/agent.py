"""The agent as a process beside the demonstration."""

import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ENDING_SECONDS = 10.0
SHOWN_OF_A_FAILURE = 40


class AgentProcess:
    """A running ``pausewatch agent``."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, port: int) -> None:
        self._process = process
        self._log = log
        self._port = port

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def log(self) -> str:
        """Return what it wrote so far."""
        return self._log.read_text(errors="replace")

    def page(self, path: str) -> str:
        """Return one of its pages.

        Raises:
            OSError: It does not answer, or answers with an error.
        """
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
            text: bytes = answer.read()
        return text.decode()

    def stop(self) -> int:
        """End it as the kubelet would and return its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


@contextmanager
def running_agent(arguments: Sequence[str], port: int) -> Iterator[AgentProcess]:
    """Run the agent; it has ended when the context is left."""
    with tempfile.TemporaryDirectory(prefix="pausewatch-demo-") as folder:
        log = Path(folder) / "agent.log"
        command = [sys.executable, "-m", "pausewatch", "agent", "--listen", f"127.0.0.1:{port}", *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        agent = AgentProcess(process, log, port)
        try:
            yield agent
        except BaseException:
            sys.stderr.write("\nthe end of the agent's log:\n")
            sys.stderr.write("\n".join(agent.log().splitlines()[-SHOWN_OF_A_FAILURE:]) + "\n")
            raise
        finally:
            agent.stop()
