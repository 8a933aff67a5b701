import asyncio
import os
import subprocess
import sys
import threading

import pytest

from pausewatch.agent.threads import LastingThread, ask_loop, end_other_tasks, in_daemon_thread, run_and_leave

PROGRAM = """
import asyncio, logging, threading
from pausewatch.agent.threads import run_and_leave

async def work():
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    logging.warning("the last word")

run_and_leave(work())
"""


def test_result_comes_back() -> None:
    """From a thread that the end of the program does not wait for."""

    def work() -> tuple[str, bool]:
        return threading.current_thread().name, threading.current_thread().daemon

    assert asyncio.run(in_daemon_thread("scan", work)) == ("scan", True)


@pytest.mark.parametrize(("raised", "seen"), [(ValueError("x"), ValueError), (SystemExit(), RuntimeError)])
def test_error_comes_back(raised: BaseException, seen: type[Exception]) -> None:
    """One that would end the event loop arrives as an ordinary one."""

    def work() -> None:
        raise raised

    with pytest.raises(seen):
        asyncio.run(in_daemon_thread("scan", work))


def test_lasting_thread_does_all_work_that_it_is_given() -> None:
    """Also after a piece of it broke, and for another event loop; a node without free pids lets no other one start."""
    lasting = LastingThread("scan")

    def work() -> tuple[int, bool]:
        return threading.get_ident(), threading.current_thread().daemon

    def broken() -> None:
        raise ValueError("x")

    first = asyncio.run(lasting.do(work))
    with pytest.raises(ValueError, match="x"):
        asyncio.run(lasting.do(broken))

    assert asyncio.run(lasting.do(work)) == first
    assert first[0] != threading.get_ident()
    assert first[1], "the end of the program waits for nobody"


def test_result_that_nobody_waits_for_is_dropped() -> None:
    """The agent may end while a scan hangs."""
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(10)
        ended.set()

    async def give_up() -> None:
        task = asyncio.create_task(in_daemon_thread("scan", work))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    go_on.set()
    assert ended.wait(10)


def test_another_thread_asks_the_loop() -> None:
    """And gets the answer there."""

    async def answer() -> int:
        return 42

    async def run() -> int:
        loop = asyncio.get_running_loop()
        return await in_daemon_thread("scan", lambda: ask_loop(loop, answer(), 10))

    assert asyncio.run(run()) == 42


def test_loop_that_does_not_answer_is_left_alone_after_the_limit() -> None:
    """A hanging API server must not hold a scan for ever."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        await in_daemon_thread("scan", lambda: ask_loop(loop, asyncio.Event().wait(), 0.01))

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_loop_that_has_ended_does_not_answer() -> None:
    """The same, without waiting."""

    async def answer() -> int:
        return 42

    loop = asyncio.new_event_loop()
    loop.close()

    with pytest.raises(TimeoutError, match="has ended"):
        ask_loop(loop, answer(), 10)


def test_tasks_end_that_take_a_cancellation_for_something_else() -> None:
    """Kopf's watch of pods does, now and then: cancelled once, it would go on for ever."""
    ended = []

    async def stubborn() -> None:
        for _ in range(3):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("not yet")
        await asyncio.Event().wait()

    async def run() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await end_other_tasks()
        ended.append("cancelled" if task.cancelled() else "left")

    asyncio.run(run())
    assert ended == ["not yet"] * 3 + ["cancelled"]


def test_program_leaves_behind_what_hangs_in_a_pool() -> None:
    """Such as the search for a name; what was logged is there."""
    command = [sys.executable, "-c", PROGRAM]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=paths)

    assert ended.returncode == 0
    assert "the last word" in ended.stderr


def test_program_goes_on_with_what_broke() -> None:
    """Whoever started the work tells it."""

    async def work() -> None:
        raise OSError("the address is in use")

    with pytest.raises(OSError, match="in use"):
        run_and_leave(work())
