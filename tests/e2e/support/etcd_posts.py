"""Posts each line of a file to etcd, as JSON: run in the Linux namespaces of a lab's node, where etcd listens.

``python etcd_posts.py http://127.0.0.1:2379 FILE``; a line is a path, a space, and the body (etcd: gRPC gateway).
"""

import sys
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener


def main(server: str, file: str) -> None:
    """Post every line, in order; ends with a trace if etcd refuses one."""
    opener = build_opener(ProxyHandler({}))
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        path, _, body = line.partition(" ")
        with opener.open(Request(f"{server}{path}", data=body.encode(), method="POST"), timeout=30) as answer:  # noqa: S310  a server that the caller names
            answer.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
