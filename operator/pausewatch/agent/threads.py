"""Work in threads that nobody has to wait for when the program ends.

The threads of asyncio's own pool are waited for at exit, and a scan may hang in the kernel: a read of /proc of a task
that exits badly, or of a mount that does not answer, can not be interrupted.
"""

import asyncio
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Never, TypeVar

T = TypeVar("T")

CANCEL_AGAIN_SECONDS = 0.02
"""Shorter than what kopf sleeps between two attempts to watch (0.1 s), so that one cancellation meets that sleep."""


def run_and_leave(work: Coroutine[Any, Any, None]) -> Never:
    """Run a coroutine to its end, and then end the process with 0, waiting for no thread.

    asyncio and the interpreter would join the threads of asyncio's pools. HTTP clients look names up in them, which
    takes 15 s and more while a name server is silent (resolv.conf(5): timeout, attempts), and an update of a DaemonSet
    would wait so long on each node. What an orderly exit does beyond that is to write out what was said.

    Raises:
        Exception: What the coroutine raises; the process goes on then.
    """
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    except BaseException:
        loop.close()
        raise
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


async def in_daemon_thread(name: str, function: Callable[[], T]) -> T:
    """Return what ``function`` returns, or raise what it raises; it runs in a thread of its own.

    Raises:
        RuntimeError: No thread can be started, as on a node that is out of pids.
    """
    done, run = _promised(function)
    threading.Thread(target=run, name=name, daemon=True).start()
    return await done


class LastingThread:
    """A daemon thread for one piece of work after the other: a node that runs out of pids does not take it away."""

    def __init__(self, name: str) -> None:
        """Prepare; the thread begins with the first piece of work."""
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None]] | None = None

    async def do(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns, or raise what it raises, once what was asked for before is done.

        Raises:
            RuntimeError: No thread can be started; only before the first piece of work.
        """
        done, run = _promised(function)
        if self._work is None:
            work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(work,), name=self._name, daemon=True).start()
            self._work = work
        self._work.put(run)
        return await done


def ask_loop(loop: asyncio.AbstractEventLoop, question: Coroutine[Any, Any, T], limit_seconds: float) -> T:
    """Return what a coroutine returns in another thread's loop.

    Raises:
        TimeoutError: It took longer, or that loop has ended.
    """
    try:
        answer = asyncio.run_coroutine_threadsafe(question, loop)
    except RuntimeError as error:
        question.close()
        raise TimeoutError("the event loop that was asked has ended") from error
    try:
        return answer.result(limit_seconds)
    except TimeoutError:
        answer.cancel()
        raise


async def end_other_tasks() -> None:
    """Cancel every other task of the running loop until none is left.

    Again and again, because a task may take a cancellation for something else: kopf's watch takes one that meets its
    own waiter's for a pause, and goes on without credentials for ever.
    """
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=CANCEL_AGAIN_SECONDS)


def _promised(function: Callable[[], T]) -> tuple["asyncio.Future[T]", Callable[[], None]]:
    """Return what is to be waited for in the running loop, and what another thread has to call for it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001  whoever waits gets it
            raised = _raisable(error)
            _deliver(loop, done, lambda: done.set_exception(raised))
        else:
            _deliver(loop, done, lambda: done.set_result(result))

    return done, run


def _serve(work: "queue.SimpleQueue[Callable[[], None]]") -> Never:
    while True:
        work.get()()


def _raisable(error: BaseException) -> BaseException:
    # A future refuses StopIteration; SystemExit and KeyboardInterrupt would end the loop instead of the one who waits.
    return error if isinstance(error, Exception) and not isinstance(error, StopIteration) else RuntimeError(repr(error))


def _deliver(loop: asyncio.AbstractEventLoop, done: "asyncio.Future[T]", deliver: Callable[[], None]) -> None:
    def unless_cancelled() -> None:
        if not done.done():
            deliver()

    try:
        loop.call_soon_threadsafe(unless_cancelled)
    except RuntimeError:
        # The loop has ended, and with it whoever waited.
        return
