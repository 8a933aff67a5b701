"""Whether there is room for the threads that gRPC starts with its first connection.

Where one of them can not be started, gRPC ends the whole program with SIGABRT, without a word and a quarter of a minute
later (seen with grpcio 1.80). A node, or a pod, that has no pid left (pids.max, kernel.pid_max) is one that has to be
looked at, so somebody has to try first.
"""

import threading

from pausewatch.model.availability import Unavailable

NEEDED_THREADS = 24
"""Its pool keeps as many as there are CPUs, at least 4 and at most 16 (grpc, work_stealing_thread_pool.h), and some are
there for timers and connections. With two CPUs, 7 are enough."""

OUT_OF_PIDS = "OutOfPids"


def why_too_few(needed: int = NEEDED_THREADS) -> Unavailable | None:
    """Return why so many threads can not be started now; None if they can. It takes two milliseconds."""
    go_home = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(needed):
            thread = threading.Thread(target=go_home.wait, name="spare", daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        return Unavailable(
            reason=OUT_OF_PIDS,
            detail=f"the runtime can not be asked without {needed} threads, and so many can not be started: the node is"
            " out of pids, or this program has reached its limit",
            remedy="look at kernel.pid_max, at pids.max of our cgroup and of those above it, and for who uses them up:"
            " ps -eo ppid= | sort | uniq -c | sort -n | tail",
        )
    finally:
        go_home.set()
        for thread in started:
            thread.join()
    return None
