"""The agent as a process beside the demonstration."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

ENDING_SECONDS = 30.0
PAGE_SECONDS = 30.0
SHOWN_OF_A_FAILURE = 40


class AgentProcess:
    """A running ``pausewatch agent``."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def log(self) -> str:
        """Return what it wrote so far."""
        return self._log.read_text(errors="replace")

    @property
    def address(self) -> str:
        """Where its pages are, ``HOST:PORT``, as its log tells from before the first scan on.

        Raises:
            OSError: It does not tell.
        """
        found = re.search(r"http://(\S+:\d+)/metrics", self.log())
        if found is None:
            raise OSError("the agent's log does not tell where its pages are")
        return found[1]

    def page(self, path: str) -> str:
        """Return one of its pages.

        Raises:
            OSError: It does not answer, or answers with an error.
        """
        # A proxy for web pages is none for this machine.
        with build_opener(ProxyHandler({})).open(f"http://{self.address}{path}", timeout=PAGE_SECONDS) as answer:
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
def running_agent(arguments: Sequence[str]) -> Iterator[AgentProcess]:
    """Run the agent, with its pages at a port that is free; it has ended when the context is left."""
    with tempfile.TemporaryDirectory(prefix="pausewatch-demo-") as folder:
        log = Path(folder) / "agent.log"
        command = [sys.executable, "-m", "pausewatch", "agent", "--listen", "127.0.0.1:0", *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        agent = AgentProcess(process, log)
        try:
            yield agent
        except BaseException:
            sys.stderr.write("\nthe end of the agent's log:\n")
            sys.stderr.write("\n".join(agent.log().splitlines()[-SHOWN_OF_A_FAILURE:]) + "\n")
            raise
        finally:
            agent.stop()
