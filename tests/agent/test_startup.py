import logging
import resource

import pytest

from pausewatch.agent.startup import (
    ENOUGH_OPEN_FILES,
    KOPF_THREAD,
    allow_open_files,
    open_files_wanted,
    start_text,
    without_trace_of_kopf,
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


@pytest.mark.parametrize(("thread", "kept"), [(KOPF_THREAD, False), ("MainThread", True)])
def test_traces_of_kopf_are_left_out(thread: str, *, kept: bool) -> None:
    """Ours are bugs that somebody has to find; kopf's are news about the cluster."""
    record = logging.LogRecord("any", logging.ERROR, "", 0, "broke", None, (ValueError, ValueError("x"), None))
    record.threadName = thread

    assert without_trace_of_kopf(record)
    assert (record.exc_info is not None) is kept


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
