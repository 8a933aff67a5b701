"""A container runtime that lies: it asks a real one, and falsifies what that answers before it passes it on.

``python -m integration.hostile_runtime.server REAL_SOCKET SOCKET``; a line on standard input names how it lies from
then on, an empty one that it tells the truth. Each is answered with a line once it is in force.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc

from integration.hostile_runtime.lies import LIES, Call

FORWARD_SECONDS = 30.0
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]


@dataclass(slots=True, kw_only=True)
class Mood:
    """How it lies, from one line of its input to the next."""

    lie: Callable[[Call], bytes]
    over: threading.Event = field(default_factory=threading.Event)
    calls: Counter[str] = field(default_factory=Counter)


class Proxy(grpc.GenericRpcHandler):
    """Answers every call of every service."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.mood = Mood(lie=Call.truth)
        self._channel = channel

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Return who answers a call: one that knows bytes only."""
        path = handler_call_details.method

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            mood = self.mood
            method = path.rpartition("/")[2]
            mood.calls[method] += 1
            ask = self._channel.unary_unary(path)
            call = Call(
                method=method,
                request=request,
                number=mood.calls[method],
                truth_of=lambda: ask(request, timeout=FORWARD_SECONDS),
                context=context,
                over=mood.over,
            )
            try:
                return mood.lie(call)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")

        return grpc.unary_unary_rpc_method_handler(answer)


def main(real: str, socket: str) -> None:
    """Serve until standard input ends."""
    proxy = Proxy(grpc.insecure_channel(f"unix:{real}", options=UNLIMITED))
    server = grpc.server(ThreadPoolExecutor(max_workers=16), handlers=[proxy], options=UNLIMITED)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    say("ready")
    for line in sys.stdin:
        before = proxy.mood
        proxy.mood = Mood(lie=LIES[line.strip()].tell if line.strip() else Call.truth)
        before.over.set()
        say("ok")
    proxy.mood.over.set()
    server.stop(grace=None).wait()


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
