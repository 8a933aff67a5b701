from pausewatch.model.availability import Unavailable
from pausewatch.sources.cri import listing
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.memory import Memory

MISSING = Unavailable(reason="RuntimeHanging", detail="hangs")
SANDBOXES = cri.ListPodSandboxResponse(items=[cri.PodSandbox(id="a")])


def test_unknown_entries() -> None:
    """As the memory tells, and the reason where there is no list."""
    memory: Memory[str] = Memory()

    assert listing.unknown(memory, SANDBOXES.items) == [*SANDBOXES.items]
    assert listing.unknown(memory, MISSING) is MISSING


def test_list_that_can_not_be_true() -> None:
    """It is told as one, with the entry in question."""
    memory: Memory[str] = Memory()
    found = listing.unknown(memory, [*SANDBOXES.items, *SANDBOXES.items])

    assert isinstance(found, Unavailable)
    assert found.reason == "ListContradictory"


def test_sandbox_that_is_called_a_container() -> None:
    """Its pause would be judged by the rules for a container."""
    good, bad = (cri.ListContainersResponse(containers=[cri.Container(id=one)]) for one in ("b", "a"))
    both = listing.containers_but(SANDBOXES, bad)

    assert isinstance(both, Unavailable)
    assert both.reason == "ListContradictory"
    assert listing.containers_but(SANDBOXES, good) == good.containers
    assert listing.containers_but(MISSING, bad) == bad.containers
    assert listing.containers_but(SANDBOXES, MISSING) is MISSING
