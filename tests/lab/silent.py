"""Run by `lab.hostile`: what does not answer. It imports nothing of the lab; its own arguments say what it is to do.

`silent.py directory DIRECTORY`: a file system is mounted there that answers nothing at all, as that of a server that is
gone. Whoever looks at it waits.

`silent.py memory DIRECTORY NAME`: this process, called NAME from then on, has a page of memory on a file system at
DIRECTORY that opens files and never delivers any content. One of its threads reads that page through /proc/self/mem and
so waits in the kernel, in state D, with the lock of its memory held for reading; another one wants the lock for
writing, again and again until it does not get it. From then on nobody else gets it, not even for reading: who reads the
arguments of this process waits, and whoever reads /proc/PID/environ and smaps_rollup does.

It prints "ready" just before, and ends when its input does; whoever waits is told an error then.
Rules: include/uapi/linux/fuse.h (the protocol), mm/memory.c __access_remote_vm (page faults with the lock held),
kernel/locking/rwsem.c (a writer that waits keeps readers out).
"""

import ctypes
import errno
import mmap
import os
import signal
import stat
import struct
import sys
import threading
import time

HEAD = struct.Struct("<IIQQIIIHH")
ANSWER_HEAD = struct.Struct("<IiQ")
ATTRIBUTES = struct.Struct("<6Q10I")
LONGEST_REQUEST = 1 << 17

LOOKUP, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 3, 14, 15, 18, 25, 26
FORGET, INTERRUPT, FORGET_MANY = 2, 36, 42
UNANSWERED = (READ, FORGET, INTERRUPT, FORGET_MANY)

FOLDER, FILE = 1, 2
SECONDS = 1000
WRITE_AGAIN_SECONDS = 0.01
PR_SET_PDEATHSIG = 1
LIBRARY = ctypes.CDLL(None, use_errno=True)


def mount(directory: str) -> int:
    """Mount a file system, and return the descriptor over which its requests come."""
    channel = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={channel},rootmode=40000,user_id=0,group_id=0"
    if LIBRARY.mount(b"silent", directory.encode(), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), "mount", directory)
    return channel


def attributes(node: int) -> bytes:
    """Return what is told of the folder or its one file."""
    mode = stat.S_IFDIR | 0o755 if node == FOLDER else stat.S_IFREG | 0o644
    return ATTRIBUTES.pack(node, mmap.PAGESIZE, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, mmap.PAGESIZE, 0)


def answer(operation: int, node: int) -> bytes | None:
    """Return the answer to a request; None for one that is not understood."""
    return {
        INIT: struct.pack("<4I2H2I2H2I28x", 7, 31, 0, 0, 0, 0, mmap.PAGESIZE, 1, 0, 0, 0, 0)[:64],
        LOOKUP: struct.pack("<4Q2I", FILE, 0, SECONDS, SECONDS, 0, 0) + attributes(FILE),
        GETATTR: struct.pack("<Q2I", SECONDS, 0, 0) + attributes(node),
        OPEN: struct.pack("<Q2I", 0, 0, 0),
        RELEASE: b"",
        FLUSH: b"",
    }.get(operation)


def serve(channel: int) -> None:
    """Answer requests but those for content, until the file system is gone."""
    while True:
        try:
            request = os.read(channel, LONGEST_REQUEST)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT):  # whoever asked has given up
                continue
            return
        _, operation, number, node, *_ = HEAD.unpack_from(request)
        if operation in UNANSWERED:
            continue
        told = answer(operation, node)
        head = ANSWER_HEAD.pack(ANSWER_HEAD.size + len(told or b""), -errno.ENOSYS if told is None else 0, number)
        os.write(channel, head + (told or b""))


def start_server(channel: int) -> None:
    """Serve in a process of its own, which ends with this one: everybody who waits is told an error then."""
    parent = os.getpid()
    if os.fork() == 0:
        LIBRARY.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            serve(channel)
        os._exit(0)
    os.close(channel)


def mapped_at(path: str) -> int:
    """Return the address at which a file is mapped."""
    with open("/proc/self/maps") as file:  # noqa: PTH123
        return next(int(line.partition("-")[0], 16) for line in file if line.rstrip().endswith(path))


def lock_memory(directory: str, name: str) -> None:
    """Make the memory of this process one that nobody can look at."""
    start_server(mount(directory))
    path = f"{directory}/page"
    page = mmap.mmap(os.open(path, os.O_RDONLY), mmap.PAGESIZE, mmap.MAP_PRIVATE, mmap.PROT_READ)
    address, memory = mapped_at(path), os.open("/proc/self/mem", os.O_RDONLY)
    with open("/proc/self/comm", "w") as file:  # noqa: PTH123
        file.write(name)
    reader_waits, told = threading.Event(), threading.Event()

    def read() -> None:
        reader_waits.set()
        os.pread(memory, 1, address)

    def write() -> None:
        told.wait()
        while True:  # the other one may not have the lock yet, however long ago it said that it is about to take it
            mmap.mmap(-1, mmap.PAGESIZE).close()
            time.sleep(WRITE_AGAIN_SECONDS)

    for work in (write, read):  # the first has its stack before the second takes the lock
        threading.Thread(target=work, daemon=True).start()
    reader_waits.wait()
    print("ready", flush=True)  # noqa: T201  the last thing that is sure to need no memory
    told.set()
    sys.stdin.read()
    del page


def main(what: str, directory: str, *name: str) -> None:
    """Do it until the input ends."""
    if what == "directory":
        channel = mount(directory)
        print("ready", flush=True)  # noqa: T201  see above
        sys.stdin.read()
        os.close(channel)
    else:
        lock_memory(directory, *name)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
