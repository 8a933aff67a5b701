import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.sources.doubts import doubtful
from support.builders import a_snapshot
from support.changes import with_first_process, with_sandbox
from support.parts import WEB_APP_ID, WEB_SANDBOX_ID

MISSING = Unavailable(reason="RuntimeHanging", detail="hangs")


def test_processes_where_they_should_be() -> None:
    """Nothing is asked again, which is the usual case."""
    assert doubtful(a_snapshot()) == frozenset()


@pytest.mark.parametrize("owner_id", [WEB_APP_ID, WEB_SANDBOX_ID])
def test_process_of_somebody_else(owner_id: str) -> None:
    """Of a container or a sandbox; that of a user-space kernel stays somebody else's, however often one asks."""
    snapshot = with_first_process(a_snapshot(), owner_id, in_own_cgroup=False)

    assert doubtful(snapshot) == {owner_id}
    assert doubtful(with_sandbox(snapshot, WEB_SANDBOX_ID, runtime_type="io.containerd.runsc.v1")) == frozenset()


def test_sandbox_without_a_process() -> None:
    """Taken for the truth, its containers would never be compared with it."""
    assert doubtful(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, pause_pid=0)) == {WEB_SANDBOX_ID}


def test_without_lists_or_processes() -> None:
    """There is nobody to ask about."""
    assert doubtful(a_snapshot(first_processes=MISSING)) == frozenset()
    assert doubtful(a_snapshot(sandboxes=MISSING)) == frozenset()
