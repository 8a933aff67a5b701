"""``pausewatch record``: keep two looks at this node in a file."""

from pathlib import Path

import click

from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.options import RUNTIME_OPTIONS
from pausewatch.cli.source import Source, with_source
from pausewatch.cli.streams import say, write
from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.recording import RecordingError, Redaction, render
from pausewatch.recording import write as write_recording

STDOUT = "-"


@click.command("record")
@click.argument("file")
@click.option("--redact-names", is_flag=True, help="Pseudonyms for pods, namespaces, containers and processes.")
@click.option("--unredacted", is_flag=True, help="Keep the node's name and the registries of images.")
@with_source(*RUNTIME_OPTIONS)
def command(source: Source, file: str, *, redact_names: bool, unredacted: bool) -> ExitCode:
    """Keep two looks at this node in FILE, to be judged anywhere with --from. - is standard output.

    The file does not tell the node's name or the registries of images. It does hold the names of pods, namespaces,
    containers and processes (unless --redact-names), the last component of image names, pids, ids and numbers of
    Linux namespaces, and the addresses of pods. It never holds command lines, environments, labels or annotations.
    Only its owner may read it.

    \b
      sudo pausewatch record node-7.json
      sudo pausewatch record --redact-names node-7.json
      kubectl -n pausewatch exec POD -- pausewatch record - > node-7.json
      pausewatch scan --from node-7.json
    """  # noqa: D301  \b is click's mark for lines that are not to be wrapped
    if redact_names and unredacted:
        raise click.UsageError("--redact-names and --unredacted contradict each other")
    looks = tuple(look.snapshot for look in source.looks())
    redaction = Redaction.NAMES if redact_names else Redaction.NONE if unredacted else Redaction.HOSTS
    if file == STDOUT:
        write(render(looks, redaction))
    else:
        _write_file(Path(file), looks, redaction)
    sandboxes = looks[-1].sandboxes
    if isinstance(sandboxes, Unavailable):
        # Still a recording: somebody who helps learns from it why nothing can be seen.
        say(f"recorded, but the container runtime was not reached: {sandboxes}")
    else:
        say(f"recorded {len(sandboxes)} sandboxes in {printable(file)}")
    return ExitCode.OK


def _write_file(path: Path, looks: tuple[Snapshot, ...], redaction: Redaction) -> None:
    try:
        write_recording(path, looks, redaction)
    except RecordingError as error:
        raise CliError(str(error)) from error
