"""In which ways a runtime lies, and what has to be told of each."""

import json
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

import grpc

from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri

LISTS = {"ListPodSandbox": cri.ListPodSandboxResponse, "ListContainers": cri.ListContainersResponse}
STATUSES = {"PodSandboxStatus": cri.PodSandboxStatusResponse, "ContainerStatus": cri.ContainerStatusResponse}
SANDBOX_STATUS = {"PodSandboxStatus": cri.PodSandboxStatusResponse}
CONTAINER_STATUS = {"ContainerStatus": cri.ContainerStatusResponse}
METHODS = ("Version", *LISTS, *STATUSES, "Status", "ImageStatus")
"""All that are asked of a runtime."""

ABOUT_THE_RUNTIME = ("Status", "ImageStatus")
"""What they tell is needed by some checks only, which are skipped without it; the scan is complete."""

LONG = "\x1b]0;owned\x07\u202e" * 8_000
"""100 kB that would rename a terminal's window."""

SLOW_SECONDS = 0.32
HANG_SECONDS = 60.0
SEED = 9
COMPLETE: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A question to the runtime.

    Attributes:
        number: How often this method was asked since the lie began, this time included.
        truth_of: Asks the real runtime.
        over: Set when the lie ends.
    """

    method: str
    request: bytes
    number: int
    truth_of: Callable[[], bytes]
    context: grpc.ServicerContext
    over: Event

    def truth(self) -> bytes:
        """Return the real runtime's answer."""
        return self.truth_of()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """One way to lie.

    Attributes:
        tell: Answers a call.
        told: Why the scan is not complete, any of these; none: it is complete, for what is false tells nothing, or is
            no part of what a scan needs.
        waits: Whether a time limit is waited for.
    """

    tell: Callable[[Call], bytes]
    told: tuple[str, ...]
    waits: bool = False


def only(methods: str | Mapping[str, Any], answer: Callable[[Call], bytes]) -> Callable[[Call], bytes]:
    """Return a lie about some methods."""
    names = {methods} if isinstance(methods, str) else {*methods}
    return lambda call: answer(call) if call.method in names else call.truth()


def changed(kinds: Mapping[str, Any], change: Callable[[Any], object]) -> Callable[[Call], bytes]:
    """Return a lie that changes the message of an answer."""

    def answer(call: Call) -> bytes:
        message = kinds[call.method].FromString(call.truth())
        change(message)
        return bytes(message.SerializeToString())

    return only(kinds, answer)


def listed(change: Callable[[Any], object]) -> Callable[[Call], bytes]:
    """Return a lie about every entry of both lists."""
    return changed(LISTS, lambda answer: [change(one) for one in _entries(answer)])


def informed(change: Callable[[str], str], kinds: Mapping[str, Any] = STATUSES) -> Callable[[Call], bytes]:
    """Return a lie about the JSON of both statuses."""

    def falsify(answer: Any) -> None:  # noqa: ANN401  a message of either kind
        answer.info["info"] = change(answer.info["info"])

    return changed(kinds, falsify)


def told_pid(pid: object, kinds: Mapping[str, Any] = STATUSES) -> Callable[[Call], bytes]:
    """Return a lie about the first process of every sandbox and container, or of some."""
    return informed(lambda text: json.dumps(json.loads(text) | {"pid": pid}), kinds)


def hanging(call: Call) -> bytes:
    """Answer when nobody waits any more."""
    call.over.wait(HANG_SECONDS)
    return b""


def slow(call: Call) -> bytes:
    """Take a good part of the time limit."""
    call.over.wait(SLOW_SECONDS)
    return call.truth()


def reset(call: Call) -> bytes:
    """End the stream without an answer."""
    call.context.cancel()
    return b""


def refusing(code: grpc.StatusCode) -> Callable[[Call], bytes]:
    """Return a lie that is an error, with 100 kB to say about it."""

    def answer(call: Call) -> bytes:
        call.context.abort(code, LONG[:2000])

    return answer


def rubbish(call: Call) -> bytes:
    """Answer with random bytes, each time others."""
    return random.Random(SEED * call.number).randbytes(500)  # noqa: S311  the same in every run


def _entries(answer: Any) -> Any:  # noqa: ANN401  a message of either list
    return answer.items if hasattr(answer, "items") else answer.containers


def _twice(answer: Any) -> None:  # noqa: ANN401
    entries = _entries(answer)
    if entries:
        entries.add().CopyFrom(entries[0])


def _all_one(answer: Any) -> None:  # noqa: ANN401
    entries = _entries(answer)
    while entries and len(entries) < 5000:
        entries.add().CopyFrom(entries[0])


def _without_status(answer: Any) -> None:  # noqa: ANN401
    answer.ClearField("status")


def _named(entry: Any) -> None:  # noqa: ANN401
    entry.metadata.name = LONG


def _born(nanoseconds: int) -> Callable[[Call], bytes]:
    def change(answer: cri.ListPodSandboxResponse) -> None:
        for one in answer.items:
            one.created_at = nanoseconds

    return changed({"ListPodSandbox": cri.ListPodSandboxResponse}, change)


def _state(call: Call) -> bytes:
    """Give everything a state of a later CRI: field 3 or 6 with the number 77, and in a status field 3 of field 1."""
    if call.method in STATUSES:
        return call.truth() + b"\x0a\x02\x18\x4d"
    message = LISTS[call.method].FromString(call.truth())
    field = b"\x18\x4d" if call.method == "ListPodSandbox" else b"\x30\x4d"
    entries = [one.SerializeToString() + field for one in _entries(message)]
    falsified = LISTS[call.method]()
    for one in entries:
        _entries(falsified).add().MergeFromString(one)
    return bytes(falsified.SerializeToString())


def _modes(answer: cri.PodSandboxStatusResponse) -> None:
    options = b"\x08\x63\x10\x63\x18\x63"  # network, pid and ipc: 99
    answer.status.linux.namespaces.options.MergeFromString(options)


def _every_other_list_is_empty(call: Call) -> bytes:
    return b"" if call.number % 2 else call.truth()


def _every_other_state(call: Call) -> bytes:
    answer = cri.ListPodSandboxResponse.FromString(call.truth())
    for one in answer.items:
        one.state = cri.SANDBOX_NOTREADY if call.number % 2 else cri.SANDBOX_READY
    return bytes(answer.SerializeToString())


def _swapped(answer: cri.ListContainersResponse) -> None:
    sandboxes = [one.pod_sandbox_id for one in answer.containers]
    for one, other in zip(answer.containers, reversed(sandboxes), strict=True):
        one.pod_sandbox_id = other


def _sandbox_as_container(answer: cri.ListContainersResponse) -> None:
    if answer.containers:
        answer.containers.add().CopyFrom(answer.containers[0])
        answer.containers[-1].id = answer.containers[0].pod_sandbox_id


def _of_each_other() -> Callable[[Call], bytes]:
    """Return a lie that gives each container the pid of the one that was asked for before it."""
    pids = [os.getpid()]

    def change(text: str) -> str:
        information = json.loads(text)
        pids.append(information["pid"])
        return json.dumps(information | {"pid": pids[-2]})

    return informed(change, CONTAINER_STATUS)


def _numbers_as_text(text: str) -> str:
    return json.dumps({key: str(value) if isinstance(value, int) else value for key, value in json.loads(text).items()})


UNREADABLE = ("AnswerUnreadable", "NotACri")
SANDBOXES = {"ListPodSandbox": cri.ListPodSandboxResponse}
CONTAINERS = {"ListContainers": cri.ListContainersResponse}
UNTOLD = ("StatusUnreadable",)
FOREIGN = ("ForeignProcess", "PermissionDenied")
"""The second one where the kernel shows the process to nobody."""
NO_PROCESS = ("ProcessNotTold",)
CONTRADICTORY = ("ListContradictory",)

LIES: Mapping[str, Lie] = {
    **{
        f"{method} hangs": Lie(
            tell=only(method, hanging),
            told=COMPLETE if method in ABOUT_THE_RUNTIME else ("RuntimeHanging",),
            waits=True,
        )
        for method in METHODS
    },
    **{
        f"{method} resets the stream": Lie(
            tell=only(method, reset), told=COMPLETE if method in (*ABOUT_THE_RUNTIME, "Version") else ("CallFailed",)
        )
        for method in METHODS
    },
    **{
        f"{method} answers random bytes": Lie(
            tell=only(method, rubbish), told=COMPLETE if method in ABOUT_THE_RUNTIME else UNREADABLE
        )
        for method in METHODS
    },
    "everything is slow": Lie(tell=slow, told=("RuntimeSlow", "RuntimeHanging"), waits=True),
    "everything fails": Lie(tell=refusing(grpc.StatusCode.INTERNAL), told=("NotACri",)),
    "statuses fail with a long text": Lie(tell=only(STATUSES, refusing(grpc.StatusCode.UNKNOWN)), told=("CallFailed",)),
    "8 million empty sandboxes": Lie(
        tell=only("ListPodSandbox", lambda _: b"\x0a\x00" * (8 << 20)), told=("AnswerTooLarge",)
    ),
    "a list of 17 MiB": Lie(
        tell=only("ListContainers", lambda _: b"\x12" + b"\xff" * (17 << 20)), told=("AnswerTooLarge",)
    ),
    "statuses of 3 MiB": Lie(tell=informed(lambda _: "[" + "[]," * (1 << 20)), told=("AnswerTooLarge",)),
    "JSON of 2 MB that takes 50 MB": Lie(
        tell=informed(lambda _: "[" + "[]," * 650_000 + "[]]", SANDBOX_STATUS), told=UNTOLD
    ),
    "JSON nested 10,000 deep": Lie(tell=informed(lambda _: "[" * 10_000 + "]" * 10_000), told=UNTOLD),
    "no JSON": Lie(tell=informed(lambda _: LONG), told=UNTOLD),
    "no information": Lie(tell=changed(STATUSES, lambda answer: answer.info.clear()), told=NO_PROCESS),
    "numbers as text": Lie(tell=informed(_numbers_as_text), told=UNTOLD),
    "no status": Lie(tell=changed(STATUSES, _without_status), told=UNTOLD),
    "no metadata": Lie(tell=listed(lambda one: one.ClearField("metadata")), told=("StatusContradictory",)),
    "no ids": Lie(tell=listed(lambda one: one.ClearField("id")), told=CONTRADICTORY),
    "unknown states": Lie(tell=only({**LISTS, **STATUSES}, _state), told=("StatusContradictory",)),
    "unknown modes": Lie(tell=changed(SANDBOX_STATUS, _modes), told=COMPLETE),
    "an id twice": Lie(tell=changed(LISTS, _twice), told=CONTRADICTORY),
    "5,000 sandboxes with one id": Lie(tell=changed(SANDBOXES, _all_one), told=CONTRADICTORY),
    "a sandbox among the containers": Lie(tell=changed(CONTAINERS, _sandbox_as_container), told=CONTRADICTORY),
    "pid 0": Lie(tell=told_pid(0), told=NO_PROCESS),
    "pid -1": Lie(tell=told_pid(-1), told=UNTOLD),
    "pid 2^40": Lie(tell=told_pid(2**40), told=UNTOLD),
    "pid 1": Lie(tell=told_pid(1, CONTAINER_STATUS), told=FOREIGN),
    "pid of a kernel thread": Lie(tell=told_pid(2, CONTAINER_STATUS), told=FOREIGN),
    "pid of a stranger": Lie(tell=told_pid(os.getpid(), CONTAINER_STATUS), told=FOREIGN),
    # Whoever asks started this process.
    "pid of whoever asks": Lie(tell=told_pid(os.getppid(), CONTAINER_STATUS), told=FOREIGN),
    "pid of each other": Lie(tell=_of_each_other(), told=FOREIGN),
    "one pid for all": Lie(tell=told_pid(os.getpid()), told=COMPLETE),
    "every other list is empty": Lie(tell=only("ListPodSandbox", _every_other_list_is_empty), told=COMPLETE),
    "every other state is another": Lie(tell=only("ListPodSandbox", _every_other_state), told=COMPLETE),
    "containers of each other's sandbox": Lie(tell=changed(CONTAINERS, _swapped), told=("StatusContradictory",)),
    "sandboxes without a status": Lie(
        tell=only("PodSandboxStatus", refusing(grpc.StatusCode.NOT_FOUND)), told=("NotFound",)
    ),
    "made at 0": Lie(tell=_born(0), told=COMPLETE),
    "made long before": Lie(tell=_born(-(2**63)), told=COMPLETE),
    "made in 2262": Lie(tell=_born(2**63 - 1), told=COMPLETE),
    "names of 100 kB with escape sequences": Lie(tell=listed(_named), told=COMPLETE),
}
"""By name."""
