"""How many files of processes stay open between scans."""

import resource

MOST_DESCRIPTORS = 3072
"""Enough for 250 pods and 2,000 processes. Each open file of a process holds 5.1 kB of kernel memory (measured on Linux
6.18) that counts against the memory limit of our own container: 15 MiB in all. Processes beyond are read by opening and
closing, which costs time only."""

SPARE_DESCRIPTORS = 128
"""Left for the rest of the program: sockets, log files, the folder that is being listed."""


def affordable_descriptors() -> int:
    """Return how many files may stay open under this process's soft limit (RLIMIT_NOFILE), 0 or more."""
    soft_limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft_limit == resource.RLIM_INFINITY:
        return MOST_DESCRIPTORS
    return max(0, min(MOST_DESCRIPTORS, soft_limit - SPARE_DESCRIPTORS))
