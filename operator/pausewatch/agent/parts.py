"""The parts of the agent that run side by side and must never end; one that does is told, and no longer alive."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

logger = logging.getLogger(__name__)


class Parts:
    """Tasks of one event loop, by name.

    None is started again here: a part that ended has lost what it knew, and the others rely on it. Liveness says so,
    and the kubelet starts the whole agent anew, with the restarts counted where people look for them.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def start(self, name: str, part: Coroutine[Any, Any, Any]) -> None:
        """Run a part from now on."""
        task = asyncio.create_task(part, name=name)
        task.add_done_callback(_tell)
        self._tasks[name] = task

    @property
    def ended(self) -> Mapping[str, str]:
        """Those that ended although they must not, with the reason."""
        return {name: _why(task) for name, task in self._tasks.items() if task.done()}

    async def end(self, limit_seconds: float) -> None:
        """Ask all of them to end, and wait for that no longer than the limit."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=limit_seconds)


def _tell(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        logger.error(
            "the part of the agent that does the %s ended: %s; /healthz says so, and a kubelet restarts the agent."
            " Report it as a bug in pausewatch",
            task.get_name(),
            _why(task),
            exc_info=task.exception(),
        )


def _why(task: "asyncio.Task[Any]") -> str:
    error = None if task.cancelled() else task.exception()
    return f"{type(error).__name__}: {error}" if error else "without an error"
