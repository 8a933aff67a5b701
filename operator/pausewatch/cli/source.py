"""Where the looks of a command come from: this node, or a recording of one. The options are the same everywhere."""

import functools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pausewatch.cli.errors import CliError, ExitCode
from pausewatch.cli.options import Command, Decorator, settings_in_force
from pausewatch.cli.streams import patience
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import Snapshot
from pausewatch.scan import Look, judge, look
from pausewatch.settings import Flags
from pausewatch.sources.collector import Collector

STDIN = "-"

LOOKS = 2
"""Of one scan: what is wrong in a single look may be a container that is just starting or stopping."""

MOST_LOOKS = 3
"""Of one scan that sees something which has to be seen so often; what has to last for minutes is told as not sure yet.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a command reads, and how it judges that."""

    settings: Settings
    recorded: tuple[Snapshot, ...] | None
    """The looks in the recording that ``--from`` names; None for this node."""

    @property
    def is_live(self) -> bool:
        """Whether it is this node, now."""
        return self.recorded is None

    def looks(self) -> Iterator[Look]:
        """Yield a recording's looks, or two looks at this node, each judged with what the ones before left."""
        if self.recorded is None:
            yield from self._live_looks()
            return
        history = History()
        for snapshot in self.recorded:
            found = judge(snapshot, history, self.settings)
            history = found.history
            yield found

    def snapshot(self) -> Snapshot:
        """Return the last look of a recording, or one look at this node, not judged."""
        if self.recorded is not None:
            return self.recorded[-1]
        with Collector(self.settings) as collector, patience("reading the container runtime"):
            return collector.collect()

    def _live_looks(self) -> Iterator[Look]:
        with Collector(self.settings) as collector:
            history = History()
            for number in range(MOST_LOOKS):
                if number:
                    time.sleep(self.settings.look_interval_seconds)
                with patience("reading the container runtime"):
                    found = look(collector, history, self.settings)
                history = found.history
                yield found
                if isinstance(found.snapshot.sandboxes, Unavailable):
                    # A second look could not judge either what must be seen twice.
                    return
                if number + 1 >= LOOKS and not _one_more_look_tells(found):
                    return


def _one_more_look_tells(found: Look) -> bool:
    """Whether something lacks nothing but one more look to be certain."""
    return any(one.looks + 1 == one.looks_needed and one.seconds_needed == 0 for one in found.report.suspicions)


FROM_OPTION: Decorator = click.option(
    "--from", "recording", metavar="FILE", help="Replay a recording instead of reading this node; - is standard input."
)


def with_source(*options: Decorator) -> Callable[[Callable[..., ExitCode]], Command]:
    """Give a command these options, and pass what they mean as its argument ``source``."""

    def decorate(command: Callable[..., ExitCode]) -> Command:
        @functools.wraps(command)
        def with_settings(*, recording: str | None = None, thresholds: tuple[str, ...] = (), **given: Any) -> ExitCode:  # noqa: ANN401  options by name
            flags = Flags(
                runtime_endpoint=given.pop("runtime_endpoint"),
                node_name=given.pop("node_name"),
                settings_file=given.pop("settings_file"),
                thresholds=thresholds,
            )
            if recording and (flags.runtime_endpoint or flags.node_name):
                raise click.UsageError(
                    "--from replays a recorded node; --runtime-endpoint and --node-name are for this one"
                )
            return command(
                source=Source(settings=settings_in_force(flags).settings, recorded=_recorded(recording)), **given
            )

        decorated: Command = with_settings
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def require_sandboxes(snapshot: Snapshot, action: str) -> None:
    """End the program if the container runtime was not reached.

    Raises:
        CliError: With what was tried, why it failed and what to do.
    """
    if isinstance(snapshot.sandboxes, Unavailable):
        raise CliError(f"cannot {action}: {snapshot.sandboxes}")


def _recorded(recording: str | None) -> tuple[Snapshot, ...] | None:
    if recording is None:
        return None
    # What makes values of JSON takes a tenth of the time in which a scan starts, and only a replay needs it.
    from pausewatch.recording import RecordingError, parse, read  # noqa: PLC0415

    try:
        return parse(sys.stdin.read()) if recording == STDIN else read(Path(recording))
    except (RecordingError, UnicodeDecodeError) as error:
        raise CliError(f"cannot replay: {error}") from error
