"""A runtime that lies in sixty ways: nothing false is found, what is unknown is told, and all ends in time."""

import json
import os
import subprocess
import time
import unicodedata
from pathlib import Path

import pytest

from integration.hostile_runtime.conftest import HostileRuntime
from integration.hostile_runtime.lies import LIES
from integration.support.observer import Observer
from integration.support.program import installed
from lab.pins import CONTAINERD_2_4
from pausewatch.scan import Look
from pausewatch.sinks.conditions import Status, scan_complete, unread

pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)

#: Of one call; a healthy runtime on a busy machine answers in time.
TIMEOUT_SECONDS = 2.0

#: The same, for a runtime that makes us wait for it.
SHORT_SECONDS = 0.4

#: A reading is promised to take no longer than eight calls, and the questions after it three; see CriSource.
LONGEST_CALLS = 11
BUSY_SECONDS = 20.0

#: The limit of the agent's container is 128 MiB, and 67 MiB is what it uses.
MOST_MORE_KIB = 60 * 1024


@pytest.mark.parametrize("name", sorted(LIES))
def test_lie(name: str, hostile_runtime: HostileRuntime) -> None:
    """Whoever knew the truth before and whoever never did: no finding, no broken check; complete again afterwards."""
    lie = LIES[name]
    seconds = SHORT_SECONDS if lie.waits else TIMEOUT_SECONDS
    lab = hostile_runtime.lab
    with (
        Observer(lab, timeout_seconds=seconds, image_period_seconds=0) as before,
        Observer(lab, timeout_seconds=seconds, image_period_seconds=0) as anew,
    ):
        complete(before)
        with hostile_runtime.lying(name):
            looks = [timed(one, seconds) for one in (before, anew) for _ in range(2)]

            for found in looks:
                assert before.about_this_lab(found) == []
            for found in looks:
                incomplete = scan_complete(found.report).status is Status.FALSE
                assert incomplete or {gap.cause.reason for gap in unread(found.report)} <= {"CallFailed"}
            told = {gap.cause.reason for found in looks[2:] for gap in unread(found.report)}
            assert told & {*lie.told} if lie.told else told <= {"CallFailed"}, told

        for one in (before, anew):
            last = complete(one)
            assert one.about_this_lab(last) == []
            assert last.report.summary.containers == 3


def complete(observer: Observer) -> Look:
    """Look until everything could be read."""
    return observer.look_until("a complete look", lambda found: not unread(found.report), 60)


def timed(observer: Observer, seconds: float) -> Look:
    """Look, and hold the look to its time."""
    began = time.monotonic()
    found = observer.look()
    assert time.monotonic() - began < LONGEST_CALLS * seconds + BUSY_SECONDS
    return found


@pytest.fixture(scope="module")
def usual_kib(hostile_runtime: HostileRuntime, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How much memory a scan takes of a runtime that tells the truth."""
    code, peak, shown = scanned(hostile_runtime, tmp_path_factory.mktemp("usual"))
    assert code == 0, shown
    return peak


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("8 million empty sandboxes", "lists more than 10,000 entries"),
        ("a list of 17 MiB", "limit 16 MiB"),
        ("JSON of 2 MB that takes 50 MB", "is no JSON object"),
        ("names of 100 kB with escape sequences", "complete"),
        ("ListPodSandbox answers random bytes", "is no message of the CRI"),
    ],
)
def test_command_line(name: str, said: str, hostile_runtime: HostileRuntime, usual_kib: int, tmp_path: Path) -> None:
    """A scan by hand ends with a plain line or a report, in bounded memory, and with nothing that moves a cursor."""
    with hostile_runtime.lying(name):
        code, peak, shown = scanned(hostile_runtime, tmp_path)

    assert code in (0, 1), shown
    assert "Traceback" not in shown
    assert not [one for one in shown if unicodedata.category(one)[0] == "C" and one != "\n"]
    assert peak - usual_kib < MOST_MORE_KIB, f"{peak} KiB, usually {usual_kib}"
    if code == 0:
        report = json.loads(shown)
        assert report["status"]["findings"] == []
        conditions = {one["type"]: one["message"] for one in report["status"]["conditions"]}
        assert said in conditions["ScanComplete"] or said == "complete"
    else:
        assert said in shown


def scanned(hostile_runtime: HostileRuntime, folder: Path) -> tuple[int, int, str]:
    """Scan by hand, and return the exit code, the most memory it took in KiB, and all that was written."""
    program = installed(folder, hostile_runtime.lab)
    command = [str(program.directory / "pausewatch"), "scan", "-o", "json"]
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=dict(program.environment))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss, output.read_text()
