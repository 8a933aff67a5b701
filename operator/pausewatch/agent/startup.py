"""The first things an agent does: room for open files, and telling what it runs with."""

import logging
import resource
from collections.abc import Iterable, Iterator, Mapping

from pausewatch.model.access import AccessFact

ENOUGH_OPEN_FILES = 1_048_576
"""The sweep over /proc keeps a descriptor per process; the kernel's highest pid_max is four times that. Some container
runtimes set no hard limit at all, and tables for more would only cost memory."""

LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
LOG_TIMES = "%Y-%m-%dT%H:%M:%S%z"

KOPF_THREAD = "kopf"
"""The name of the thread that kopf runs in, with everything that it calls."""

QUIET: Mapping[str, int] = {
    # One line per event of an object, one per login: told by what follows from them.
    "kopf.objects": logging.WARNING,
    "kopf.activities": logging.WARNING,
    "kopf._core.engines.activities": logging.WARNING,
    # That kopf leaves signals to us is intended: it does not run in the main thread.
    "kopf._core.reactor.running": logging.ERROR,
    "aiohttp.access": logging.WARNING,
}


def set_up_log(level: int = logging.INFO) -> None:
    """Log to stderr, one line per record but for blocks that say so."""
    logging.basicConfig(level=level, format=LOG_FORMAT, datefmt=LOG_TIMES)
    for handler in logging.getLogger().handlers:
        handler.addFilter(without_trace_of_kopf)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


def without_trace_of_kopf(record: logging.LogRecord) -> bool:
    """Let a record pass; one from kopf's thread without its trace.

    kopf logs the same error in each of its layers, with a trace each time: sixty lines for a definition that somebody
    deleted. What it means for the node is told by us, and kopf is started again.
    """
    if record.threadName == KOPF_THREAD:
        record.exc_info = None
    return True


def allow_open_files() -> tuple[int, int]:
    """Raise the soft limit of open files towards the hard one; return it before and now (getrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = open_files_wanted(soft, hard)
    if wanted != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return soft, wanted


def open_files_wanted(soft: int, hard: int) -> int:
    """Return the soft limit to be set: never lower than it is, never above the hard one."""
    if soft == resource.RLIM_INFINITY:
        return soft
    most = ENOUGH_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_OPEN_FILES)
    return max(soft, most)


def start_text(settings: Mapping[str, object], facts: Iterable[AccessFact]) -> str:
    """Return settings and what this process can and cannot see on the node, as a block of lines."""
    return "\n".join(("what this agent runs with:", *_settings(settings), *_access(facts)))


def _settings(settings: Mapping[str, object]) -> Iterator[str]:
    width = max(len(name) for name in settings)
    for name, value in settings.items():
        yield f"  {name:<{width}}  {value if value not in ('', (), {}) else '-'}"


def _access(facts: Iterable[AccessFact]) -> Iterator[str]:
    for fact in facts:
        yield f"  {'ok     ' if fact.granted else 'MISSING'}  {fact.name}: {fact.detail}"
        if not fact.granted:
            yield f"           not found: {fact.lost}"
            yield f"           to get it: {fact.remedy}"
