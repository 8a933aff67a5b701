import asyncio
import logging

import pytest

from pausewatch.agent.parts import Parts


async def for_ever() -> None:
    """Do what a part does."""
    await asyncio.Event().wait()


async def breaks() -> None:
    """Do what no part may do."""
    raise ValueError("broken")


def test_part_that_ends_is_told_at_once_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody awaits would be told when it is collected, or never."""

    async def run() -> None:
        parts = Parts()
        parts.start("watch", for_ever())
        parts.start("scan", breaks())
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        assert parts.ended == {"scan": "ValueError: broken"}
        await parts.end(10)

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())

    (record,) = caplog.records
    assert "does the scan ended: ValueError: broken" in record.getMessage()
    assert record.exc_info is not None


def test_end_of_all_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """They were asked to."""

    async def run() -> None:
        parts = Parts()
        parts.start("scan", for_ever())
        assert parts.ended == {}
        await parts.end(10)
        assert parts.ended == {"scan": "without an error"}

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())

    assert not caplog.records


def test_part_that_does_not_end_holds_up_nothing() -> None:
    """SIGTERM ends the agent within seconds, whatever hangs."""

    async def stubborn(let_go: asyncio.Event) -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    async def run() -> None:
        let_go = asyncio.Event()
        parts = Parts()
        parts.start("scan", stubborn(let_go))
        await asyncio.sleep(0)
        await parts.end(0)
        assert parts.ended == {}
        let_go.set()

    asyncio.run(run())


def test_nothing_that_was_started_is_nothing_to_end() -> None:
    """SIGTERM may come first."""
    asyncio.run(Parts().end(10))
