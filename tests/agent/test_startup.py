import logging
import resource

import pytest

from pausewatch.agent.startup import (
    ENOUGH_OPEN_FILES,
    KOPF_SILENCE_SECONDS,
    KOPF_THREAD,
    MOST_KOPF_LINES,
    KopfFilter,
    allow_open_files,
    open_files_wanted,
    start_text,
)
from pausewatch.model.access import AccessFact

UNLIMITED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "wanted"),
    [
        (1024, 65_536, 65_536),
        (1024, UNLIMITED, ENOUGH_OPEN_FILES),
        (1024, 2**30, ENOUGH_OPEN_FILES),
        (2**30, 2**30, 2**30),
        (UNLIMITED, UNLIMITED, UNLIMITED),
        (1024, 1024, 1024),
    ],
)
def test_limit_of_open_files_is_raised_and_never_lowered(soft: int, hard: int, wanted: int) -> None:
    """Towards the hard limit, as far as any node needs it."""
    assert open_files_wanted(soft, hard) == wanted


def test_limit_is_set() -> None:
    """Raising it to the hard limit needs no right."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        _, now = allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (now, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def a_record(text: str = "broke", thread: str = KOPF_THREAD) -> logging.LogRecord:
    """Return a record with a trace."""
    record = logging.LogRecord("any", logging.ERROR, "", 0, text, None, (ValueError, ValueError("x"), None))
    record.threadName = thread
    return record


def test_limit_that_can_not_be_raised_stays(caplog: pytest.LogCaptureFixture) -> None:
    """The kernel refuses where somebody has lowered fs.nr_open below the hard limit: slow reads, and no crash."""

    def refuse(_: int, __: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        assert allow_open_files(refuse) == (512, 512)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "fs.nr_open" in caplog.text


@pytest.mark.parametrize(("thread", "kept"), [(KOPF_THREAD, False), ("MainThread", True)])
def test_traces_of_kopf_are_left_out(thread: str, *, kept: bool) -> None:
    """Ours are bugs that somebody has to find; kopf's are news about the cluster."""
    record = a_record(thread=thread)

    assert KopfFilter().filter(record)
    assert (record.exc_info is not None) is kept


def test_kopf_says_the_same_once_in_a_while() -> None:
    """Whatever number the attempt has: while a right is missing it would be thousands of lines an hour per node."""
    now = [0.0]
    kopf = KopfFilter(clock=lambda: now[0])

    assert [kopf.filter(a_record(f"attempt #{number} failed: GET /api")) for number in range(3)] == [True, False, False]
    assert kopf.filter(a_record("attempt #1 failed: GET /other"))
    now[0] += KOPF_SILENCE_SECONDS
    assert kopf.filter(a_record("attempt #99 failed: GET /api"))


def test_kopf_has_so_many_lines_and_we_have_all() -> None:
    """Words that differ each time must not fill the log either."""
    kopf = KopfFilter(clock=lambda: 0)

    told = [kopf.filter(a_record(f"error {'x' * number}")) for number in range(2 * MOST_KOPF_LINES)]

    assert sum(told) == MOST_KOPF_LINES
    assert all(kopf.filter(a_record(thread="MainThread")) for _ in range(3))


def test_start_tells_settings_and_what_is_missing() -> None:
    """One block: what is lost, and how to get it."""
    facts = (
        AccessFact(name="runtime-socket", granted=True, detail="containerd answers"),
        AccessFact(name="namespace-links", granted=False, detail="refused", lost="all", remedy="add SYS_PTRACE"),
    )

    assert start_text({"node_name": "node-7", "ignore": ()}, facts).splitlines() == [
        "what this agent runs with:",
        "  node_name  node-7",
        "  ignore     -",
        "  ok       runtime-socket: containerd answers",
        "  MISSING  namespace-links: refused",
        "           not found: all",
        "           to get it: add SYS_PTRACE",
    ]
