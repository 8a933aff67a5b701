"""The first things an agent does: room for open files, and telling what it runs with."""

import logging
import re
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from pausewatch.model.access import AccessFact

ENOUGH_OPEN_FILES = 1_048_576
"""The sweep over /proc keeps a descriptor per process; the kernel's highest pid_max is four times that. Some container
runtimes set no hard limit at all, and tables for more would only cost memory."""

LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
LOG_TIMES = "%Y-%m-%dT%H:%M:%S%z"

KOPF_THREAD = "kopf"
"""The name of the thread that kopf runs in, with everything that it calls."""

KOPF_SILENCE_SECONDS = 600.0
MOST_KOPF_LINES = 50
"""kopf may say the same once in this time, and so many different things. It has a line for every attempt at a request,
thousands an hour while a right is missing or the API server is away; that, and what to do, is told by us, once."""

QUIET: Mapping[str, int] = {
    # One line per event of an object, one per login: told by what follows from them.
    "kopf.objects": logging.WARNING,
    "kopf.activities": logging.WARNING,
    "kopf._core.engines.activities": logging.WARNING,
    # That kopf leaves signals to us is intended: it does not run in the main thread.
    "kopf._core.reactor.running": logging.ERROR,
    "aiohttp.access": logging.WARNING,
}


logger = logging.getLogger(__name__)


def set_up_log(level: int = logging.INFO) -> None:
    """Log to stderr, one line per record but for blocks that say so."""
    logging.basicConfig(level=level, format=LOG_FORMAT, datefmt=LOG_TIMES)
    for handler in logging.getLogger().handlers:
        handler.addFilter(KopfFilter())
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


class KopfFilter(logging.Filter):
    """Cuts what comes from kopf's thread: no trace, and no words that were there a while ago.

    kopf logs the same error in each of its layers, with a trace each time: sixty lines for a definition that somebody
    deleted. What it means for the node is told by us, and kopf is started again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is to be logged; one from kopf's thread loses its trace."""
        if record.threadName != KOPF_THREAD:
            return True
        record.exc_info = None
        # Attempts are counted, and versions of resources are part of a request.
        words = re.sub(r"\d+", "", record.getMessage())
        now = self._clock()
        self._said = {one: at for one, at in self._said.items() if now - at < KOPF_SILENCE_SECONDS}
        if words in self._said or len(self._said) >= MOST_KOPF_LINES:
            return False
        self._said[words] = now
        return True


def allow_open_files(
    set_limit: Callable[[int, tuple[int, int]], None] = resource.setrlimit,
) -> tuple[int, int]:
    """Raise the soft limit of open files towards the hard one; return it before and now (getrlimit(2)).

    The kernel refuses every change below a hard limit that is above ``fs.nr_open`` (kernel/sys.c, do_prlimit): whoever
    lowers that on a running node must not keep its agent from starting.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = open_files_wanted(soft, hard)
    if wanted != soft:
        try:
            set_limit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError) as error:
            logger.warning("the limit of open files stays %d: %s; fs.nr_open may be below the hard limit", soft, error)
            return soft, soft
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
