"""Where the agent's resident memory goes before it does anything.

``PYTHONPATH=operator:tests python -m bench.import_memory``. A process of its own imports one part after the other. What
several parts need is counted with the first of them, so the order is part of the result: first what the scan needs,
then what the agent adds.
"""

import importlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

MEBIBYTE = 1024 * 1024

IN_ORDER = (
    ("asyncio, ssl and http of the standard library", ("asyncio", "ssl", "http.client", "email.parser")),
    ("PyYAML: settings", ("yaml",)),
    ("grpcio and protobuf: the runtime", ("grpc", "google.protobuf.message")),
    ("click and the command line", ("click", "pausewatch.cli.main")),
    ("pausewatch: sources, checks, reports", ("pausewatch.scan", "pausewatch.sinks.report", "pausewatch.sinks.events")),
    ("prometheus-client", ("prometheus_client", "pausewatch.sinks.metrics")),
    ("aiohttp: pages and the API server", ("aiohttp", "aiohttp.web")),
    ("kopf: watches", ("kopf",)),
    ("pausewatch: the agent", ("pausewatch.cli.agent",)),
)


def main(arguments: Sequence[str]) -> None:
    """Print the table; with an argument, be the process that imports."""
    if arguments:
        for line in _lines():
            sys.stdout.write(f"{line}\n")
        return
    site = next(path for path in sys.path if path.endswith("site-packages"))
    paths = ":".join([*(path for path in sys.path if path and path != site), site])
    with tempfile.TemporaryDirectory() as byte_code:
        # No paths but these; byte code as after an installation: compiling takes memory that is never given back.
        command = (sys.executable, "-S", "-X", f"pycache_prefix={byte_code}", "-m", "bench.import_memory", "here")
        compiling, counted = (
            subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": paths}).stdout
            for _ in range(2)
        )
    sys.stdout.write(counted)
    _, all_of_it, _ = compiling.splitlines()[-1].split("**")[-3:]
    sys.stdout.write(f"\nWithout byte code: {all_of_it} MiB\n")


def _lines() -> Iterator[str]:
    yield "| part | MiB |"
    yield "| --- | --- |"
    before = first = _resident_mebibytes()
    yield f"| Python itself | {first:.1f} |"
    for part, modules in IN_ORDER:
        for module in modules:
            importlib.import_module(module)
        after = _resident_mebibytes()
        yield f"| {part} | {after - before:.1f} |"
        before = after
    yield f"| **all of it** | **{before:.1f}** |"


def _resident_mebibytes() -> float:
    """Return the second field of ``/proc/self/statm`` (proc_pid_statm(5)), which is in pages."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize() / MEBIBYTE


if __name__ == "__main__":
    main(sys.argv[1:])
