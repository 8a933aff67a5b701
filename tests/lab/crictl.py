"""A stand-in for ``crictl``: its command line, for the calls that people type on a node.

The real one is built from a module that can not be fetched here, so this is the one program of the lab that is not what
runs on a node. Syntax, defaults, refusals and the shape of what is printed are those of kubernetes-sigs/cri-tools,
cmd/crictl; what it does not know it refuses, as the real one refuses an unknown flag. The runtime behind it is real.

The endpoint is ``-r``, or else CONTAINER_RUNTIME_ENDPOINT.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from lab.cri import lab_cri_pb2 as pb
from lab.cri.client import CriClient
from lab.errors import LabError

_ID_DIGITS = 13
_SANDBOX_STATES = {"ready": pb.SANDBOX_READY, "notready": pb.SANDBOX_NOTREADY}
_CONTAINER_STATES = {
    "created": pb.CONTAINER_CREATED,
    "running": pb.CONTAINER_RUNNING,
    "exited": pb.CONTAINER_EXITED,
    "unknown": pb.CONTAINER_UNKNOWN,
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        raise LabError(message)


class Commands:
    """One method per subcommand; each returns what it prints."""

    def __init__(self, client: CriClient) -> None:
        self._client = client

    def pods(self, given: argparse.Namespace) -> str:
        """List sandboxes, newest first."""
        listed = [
            one
            for one in sorted(self._client.sandboxes(), key=lambda one: -one.created_at)
            if re.search(given.name, one.metadata.name)
            and re.search(given.namespace, one.metadata.namespace)
            and one.id.startswith(given.id)
            and (given.state is None or one.state == _SANDBOX_STATES[given.state])
        ]
        if given.quiet:
            return _lines(one.id for one in listed)
        rows = [
            (
                _short(one.id, given.no_trunc),
                _time(one.created_at),
                "Ready" if one.state == pb.SANDBOX_READY else "NotReady",
                one.metadata.name,
                one.metadata.namespace,
                str(one.metadata.attempt),
                one.runtime_handler or "(default)",
            )
            for one in listed
        ]
        return _table(("POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"), rows)

    def ps(self, given: argparse.Namespace) -> str:
        """List containers, newest first; without -a or --state those that run."""
        state = "running" if given.state is None and not given.all else given.state
        listed = [
            one
            for one in sorted(self._client.containers(), key=lambda one: -one.created_at)
            if one.pod_sandbox_id.startswith(given.pod)
            and one.id.startswith(given.id)
            and re.search(given.name, one.metadata.name)
            and (state is None or one.state == _CONTAINER_STATES[state])
        ]
        if given.quiet:
            return _lines(one.id for one in listed)
        pods = {one.id: one.metadata for one in self._client.sandboxes()}
        names = {number: name for name, number in _CONTAINER_STATES.items()}
        rows = [
            (
                _short(one.id, given.no_trunc),
                _short(one.image.image.removeprefix("sha256:"), given.no_trunc),
                _time(one.created_at),
                names[one.state].capitalize(),
                one.metadata.name,
                str(one.metadata.attempt),
                _short(one.pod_sandbox_id, given.no_trunc),
                pods[one.pod_sandbox_id].name if one.pod_sandbox_id in pods else "unknown",
            )
            for one in listed
        ]
        return _table(("CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD"), rows)

    def inspectp(self, given: argparse.Namespace) -> str:
        """Show the verbose status of sandboxes."""
        return _statuses(
            self._client.call(
                "RuntimeService/PodSandboxStatus",
                pb.PodSandboxStatusRequest(pod_sandbox_id=one, verbose=True),
                pb.PodSandboxStatusResponse,
            )
            for one in given.ids
        )

    def inspect(self, given: argparse.Namespace) -> str:
        """Show the verbose status of containers."""
        return _statuses(
            self._client.call(
                "RuntimeService/ContainerStatus",
                pb.ContainerStatusRequest(container_id=one, verbose=True),
                pb.ContainerStatusResponse,
            )
            for one in given.ids
        )

    def inspecti(self, given: argparse.Namespace) -> str:
        """Show the status of images."""
        answers = [self._image(one, verbose=True) for one in given.ids]
        return _statuses(answers)

    def stopp(self, given: argparse.Namespace) -> str:
        """Stop sandboxes."""
        for one in given.ids:
            self._client.stop_sandbox(one)
        return _lines(f"Stopped sandbox {one}" for one in given.ids)

    def rmp(self, given: argparse.Namespace) -> str:
        """Remove sandboxes; ready ones only with -f, which stops them."""
        for one in given.ids:
            if self._client.sandbox_status(one).state == pb.SANDBOX_READY:
                if not given.force:
                    raise LabError(f'pod sandbox "{one}" is running, please stop it first')
                self._client.stop_sandbox(one)
            request = pb.RemovePodSandboxRequest(pod_sandbox_id=one)
            self._client.call("RuntimeService/RemovePodSandbox", request, pb.RemovePodSandboxResponse)
        return _lines(f"Removed sandbox {one}" for one in given.ids)

    def stop(self, given: argparse.Namespace) -> str:
        """Stop containers; with SIGKILL after -t seconds."""
        for one in given.ids:
            self._stop_container(one, given.timeout)
        return _lines(given.ids)

    def rm(self, given: argparse.Namespace) -> str:
        """Remove containers; running ones only with -f, which stops them."""
        for one in given.ids:
            if self._client.container_status(one).state == pb.CONTAINER_RUNNING:
                if not given.force:
                    raise LabError(f'container "{one}" is running, please stop it first')
                self._stop_container(one, 0)
            request = pb.RemoveContainerRequest(container_id=one)
            self._client.call("RuntimeService/RemoveContainer", request, pb.RemoveContainerResponse)
        return _lines(given.ids)

    def images(self, given: argparse.Namespace) -> str:
        """List images, by name."""
        tagged = [
            (*(tag.rpartition(":")[::2] if tag else ("<none>", "<none>")), one)
            for one in self._client.images()
            for tag in one.repo_tags or [""]
            if given.reference in ("", tag, tag.rpartition(":")[0])
        ]
        tagged.sort(key=lambda one: (one[0], one[1]))
        if given.quiet:
            return _lines(dict.fromkeys(one.id for _, _, one in tagged))
        head = ("IMAGE", "TAG", "IMAGE ID", "SIZE", *(("PINNED",) if given.pinned else ()))
        rows = [
            (
                name,
                tag,
                _short(one.id.removeprefix("sha256:"), given.no_trunc),
                f"{one.size / 1e6:.3g}MB",
                *((str(one.pinned).lower(),) if given.pinned else ()),
            )
            for name, tag, one in tagged
        ]
        return _table(head, rows)

    def pull(self, given: argparse.Namespace) -> str:
        """Pull an image from its registry; the lab has none, so this fails there."""
        request = pb.PullImageRequest(image=pb.ImageSpec(image=given.ids[0]))
        answer = self._client.call("ImageService/PullImage", request, pb.PullImageResponse)
        return _lines([f"Image is up to date for {answer.image_ref}"])

    def rmi(self, given: argparse.Namespace) -> str:
        """Remove images."""
        removed: list[str] = []
        for one in given.ids:
            image = self._image(one, verbose=False).image
            self._client.remove_image(one)
            removed += image.repo_tags or image.repo_digests
        return _lines(f"Deleted: {name}" for name in removed)

    def info(self, _: argparse.Namespace) -> str:
        """Show the verbose status of the runtime."""
        answer = self._client.call("RuntimeService/Status", pb.StatusRequest(verbose=True), pb.StatusResponse)
        return _statuses([answer])

    def version(self, _: argparse.Namespace) -> str:
        """Show who answers."""
        answer = self._client.version()
        return _lines(
            (
                f"Version:  {answer.version}",
                f"RuntimeName:  {answer.runtime_name}",
                f"RuntimeVersion:  {answer.runtime_version}",
                f"RuntimeApiVersion:  {answer.runtime_api_version}",
            )
        )

    def _stop_container(self, container_id: str, grace_seconds: int) -> None:
        request = pb.StopContainerRequest(container_id=container_id, timeout=grace_seconds)
        self._client.call("RuntimeService/StopContainer", request, pb.StopContainerResponse)

    def _image(self, name: str, *, verbose: bool) -> pb.ImageStatusResponse:
        """Ask for an image. The CRI answers without one where it knows none: that is no error to it."""
        request = pb.ImageStatusRequest(image=pb.ImageSpec(image=name), verbose=verbose)
        answer = self._client.call("ImageService/ImageStatus", request, pb.ImageStatusResponse)
        if not answer.HasField("image"):
            raise LabError(f'no such image "{name}" present')
        return answer


def main(arguments: list[str]) -> int:
    """Run one command line; returns 1, and says why, where the real program would."""
    try:
        given = _parser().parse_args(arguments)
        client = CriClient.connect(Path(given.endpoint.removeprefix("unix://")))
        try:
            sys.stdout.write(getattr(Commands(client), given.command)(given))
        finally:
            client.close()
    except LabError as error:
        sys.stderr.write(f'time="{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}" level=fatal msg={json.dumps(str(error))}\n')
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="crictl", allow_abbrev=False)
    endpoint = os.environ.get("CONTAINER_RUNTIME_ENDPOINT", "unix:///run/containerd/containerd.sock")
    parser.add_argument("-r", "--runtime-endpoint", dest="endpoint", default=endpoint)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for name in ("pods", "ps", "images"):
        listing = commands.add_parser(name, allow_abbrev=False)
        listing.add_argument("-q", "--quiet", action="store_true")
        listing.add_argument("--no-trunc", action="store_true")
        if name == "images":
            listing.add_argument("--pinned", action="store_true")
            listing.add_argument("reference", nargs="?", default="")
            continue
        listing.add_argument("--name", default="")
        listing.add_argument("--id", default="")
        states = _SANDBOX_STATES if name == "pods" else _CONTAINER_STATES
        listing.add_argument("-s", "--state", type=str.lower, choices=list(states))
        if name == "pods":
            listing.add_argument("--namespace", default="")
        else:
            listing.add_argument("-a", "--all", action="store_true")
            listing.add_argument("-p", "--pod", default="")
    for name in ("inspectp", "inspect", "inspecti", "stopp", "rmp", "stop", "rm", "rmi", "pull"):
        about = commands.add_parser(name, allow_abbrev=False)
        about.add_argument("ids", nargs=1 if name == "pull" else "+")
        if name in ("rmp", "rm"):
            about.add_argument("-f", "--force", action="store_true")
        if name == "stop":
            about.add_argument("-t", "--timeout", type=int, default=0)
    for name in ("info", "version"):
        commands.add_parser(name, allow_abbrev=False)
    return parser


def _statuses(
    answers: Iterable[
        pb.PodSandboxStatusResponse | pb.ContainerStatusResponse | pb.ImageStatusResponse | pb.StatusResponse
    ],
) -> str:
    """Print statuses as JSON: one as an object, several as a list."""
    documents = [_status(one) for one in answers]
    return json.dumps(documents[0] if len(documents) == 1 else documents, indent=2) + "\n"


def _status(
    answer: pb.PodSandboxStatusResponse | pb.ContainerStatusResponse | pb.ImageStatusResponse | pb.StatusResponse,
) -> Mapping[str, Any]:
    status: Message = answer.image if isinstance(answer, pb.ImageStatusResponse) else answer.status
    document = MessageToDict(status, always_print_fields_with_no_presence=True)
    for name in ("createdAt", "startedAt", "finishedAt"):
        if name in document:
            document[name] = datetime.fromtimestamp(int(document[name]) / 1e9, UTC).isoformat()
    return {**{name: _parsed(text) for name, text in sorted(answer.info.items())}, "status": document}


def _parsed(text: str) -> object:
    """Return what a runtime added to a verbose status: JSON mostly, sometimes a plain text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _short(identifier: str, whole: bool) -> str:  # noqa: FBT001  a flag of the command line
    return identifier if whole else identifier[:_ID_DIGITS]


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(timespec="seconds")


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return _lines(
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
