"""With a real bound on pids: tests/integration/hostile_node/test_limits_of_the_agent.py."""

import threading
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.cri import source
from pausewatch.sources.cri.source import CriSource
from pausewatch.sources.cri.spare_threads import OUT_OF_PIDS, why_too_few


def test_enough() -> None:
    """Nothing of the trial is left."""
    before = threading.active_count()

    assert why_too_few() is None
    assert threading.active_count() == before


def test_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that could be started are gone as well, or they would be missed elsewhere."""
    before, start, room = threading.active_count(), threading.Thread.start, iter(range(5))

    def start_few(thread: threading.Thread) -> None:
        if next(room, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_few)
    short = why_too_few()

    assert short is not None
    assert short.reason == OUT_OF_PIDS
    assert threading.active_count() == before


@pytest.mark.usefixtures("runtime")
def test_runtime_is_not_asked_without_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is asked once there are enough; a connection that is there needs no more of them."""
    cri = CriSource(f"unix://{path}", 5)
    short = Unavailable(reason=OUT_OF_PIDS, detail="no thread can be started")
    monkeypatch.setattr(source, "why_too_few", lambda: short)
    assert cri.read().sandboxes is short
    assert not cri.calls

    monkeypatch.setattr(source, "why_too_few", lambda: None)
    assert not isinstance(cri.read().sandboxes, Unavailable)
    monkeypatch.setattr(source, "why_too_few", lambda: short)
    assert not isinstance(cri.read().sandboxes, Unavailable)
    cri.close()
