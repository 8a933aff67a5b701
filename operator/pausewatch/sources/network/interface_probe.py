"""Prints the interfaces inside network namespaces: a program of its own, started by ``deep_probe`` for each probing.

A process that enters another network namespace must leave it again, whatever happens, before it opens its next socket.
This one has nothing else to do and ends at once, so whatever happens the agent is where it was. It imports nothing of
pausewatch, to start quickly.

Usage: ``interface_probe.py SECONDS FILE...``. Prints a JSON list with an object for each file, in their order::

    [{"eth0": {"up": true, "addresses": ["10.1.0.7"]}, "lo": {...}}, {"error": 1}]

``error`` is the errno of a namespace that could not be entered.
"""

import json
import signal
import socket
import sys
from typing import Any

import psutil
from nsenter import Namespace

ADDRESS_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def interfaces() -> dict[str, Any]:
    """Return the interfaces of the network namespace that this process is in."""
    addresses = psutil.net_if_addrs()
    return {
        name: {
            "up": "up" in status.flags.split(","),
            "addresses": [one.address for one in addresses.get(name, ()) if one.family in ADDRESS_FAMILIES],
        }
        for name, status in psutil.net_if_stats().items()
    }


def look_inside(file: str) -> dict[str, Any]:
    """Return the interfaces of the network namespace behind a file, or why it could not be entered."""
    try:
        with Namespace(file, "net"):
            return interfaces()
    except OSError as error:
        return {"error": error.errno}


def main(arguments: list[str]) -> None:
    """Look into each namespace; the kernel ends this process when the time is up, whether or not anybody waits."""
    signal.alarm(int(arguments[0]))
    sys.stdout.write(json.dumps([look_inside(file) for file in arguments[1:]]))


if __name__ == "__main__":
    main(sys.argv[1:])
