"""When the sandboxes of each pod were made."""

from pausewatch.model.sandbox_births import MOST_BIRTHS, REMEMBERED_SECONDS, SandboxBirth, births_with, made_within
from support.parts import WEB_UID, a_sandbox


def test_sandboxes_that_are_gone_are_remembered_while_their_pod_has_another() -> None:
    """The kubelet removes a replaced one within a minute."""
    first = births_with({}, [a_sandbox(id="a", attempt=0, created_at_seconds=10.0)])
    second = births_with(first, [a_sandbox(id="b", attempt=1, created_at_seconds=20.0)])

    assert second == {
        WEB_UID: (
            SandboxBirth(created_at_seconds=10.0, sandbox_id="a", attempt=0),
            SandboxBirth(created_at_seconds=20.0, sandbox_id="b", attempt=1),
        )
    }
    assert births_with(second, []) == {}


def test_nothing_new_is_the_same_value() -> None:
    """A scan of a quiet node makes nothing anew."""
    sandboxes = [a_sandbox()]
    known = births_with({}, sandboxes)

    assert births_with(known, sandboxes)[WEB_UID] is known[WEB_UID]


def test_sandbox_of_no_told_pod_is_left_out() -> None:
    """cri-dockerd lists some of which only a checkpoint is left: without uid and time."""
    assert births_with({}, [a_sandbox(uid=""), a_sandbox(created_at_seconds=0.0)]) == {}


def test_memory_is_bounded_in_number_and_time() -> None:
    """However fast a pod goes through its sandboxes, and however long."""
    fast = births_with({}, [a_sandbox(id=f"{number}", created_at_seconds=1.0 + number) for number in range(1000)])
    slow = births_with({}, [a_sandbox(id=f"{hour}", created_at_seconds=1.0 + 3601 * hour) for hour in range(3)])

    assert len(fast[WEB_UID]) == MOST_BIRTHS
    assert fast[WEB_UID][-1].sandbox_id == "999"
    assert [one.sandbox_id for one in slow[WEB_UID]] == ["2"]
    assert REMEMBERED_SECONDS == 3600


def births(*told: tuple[float, int]) -> tuple[SandboxBirth, ...]:
    """Return births at these seconds, with these attempt numbers."""
    return tuple(
        SandboxBirth(created_at_seconds=seconds, sandbox_id=f"at {seconds}", attempt=attempt)
        for seconds, attempt in told
    )


def test_made_within_counts_from_the_newest_back() -> None:
    """The window's edge belongs to it."""
    known = births((0, 0), (1, 1), (601, 2))

    assert made_within(known, 600) == 2
    assert made_within(known, 599) == 1
    assert made_within((), 600) == 0


def test_made_within_counts_those_that_nobody_saw() -> None:
    """By attempt numbers that were skipped; numbers that begin anew never make it fewer than were seen."""
    assert made_within(births((0, 3), (30, 7)), 600) == 5
    assert made_within(births((0, 0), (1, 1), (2, 0), (3, 1)), 600) == 4
