from dataclasses import dataclass, field

from pausewatch.agent.pods import ApiPods
from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.errors import ApiError
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod
from support.parts import a_pod

UNREACHABLE = ApiError("GET /api/v1/pods", 0, "Unreachable", "refused")


@dataclass
class World:
    """What the watch knows, what the API server would answer, and how often it was asked."""

    watched: tuple[Pod, ...] | Unavailable = ()
    relisted: bool = False
    there: tuple[Pod, ...] = ()
    error: Exception | None = None
    lists: int = 0
    gets: list[str] = field(default_factory=list)

    def pods(self) -> tuple[Pod, ...] | Unavailable:
        """See Watch."""
        return self.watched

    def take_relisted(self) -> bool:
        """See Watch."""
        relisted, self.relisted = self.relisted, False
        return relisted

    def list_now(self) -> tuple[Pod, ...]:
        """Answer a LIST."""
        self.lists += 1
        if self.error:
            raise self.error
        return self.there

    def get_now(self, namespace: str, name: str) -> Pod | None:
        """Answer a GET."""
        self.gets.append(f"{namespace}/{name}")
        if self.error:
            raise self.error
        return next((pod for pod in self.there if (pod.namespace, pod.name) == (namespace, name)), None)

    def why_waiting(self, pod: Pod) -> WaitingPod | None:
        """Answer about a pod without sandbox."""
        return WaitingPod(uid=pod.uid, error="", last_failed_at=None)


def source(world: World) -> ApiPods:
    """Return the pods of a world."""
    return ApiPods(world, world.list_now, world.get_now, WaitingPods(world.why_waiting, 30))


WEB, OTHER = a_pod(), a_pod(name="other", uid="other")


def test_pods_are_those_of_the_watch() -> None:
    """A scan costs the API server nothing."""
    world = World(watched=(WEB,))

    assert source(world).read() == (WEB,)
    assert world.lists == 0


def test_pods_are_unavailable_until_the_watch_knows_them() -> None:
    """An index that is still being filled would make orphans of the rest."""
    missing = Unavailable(reason="PodsNotListed", detail="not yet")

    assert source(World(watched=missing)).read() is missing


def test_what_the_watch_missed_is_forgotten_after_it_listed_again() -> None:
    """kopf keeps what was deleted while it was away; one LIST of our own tells."""
    world = World(watched=(WEB, OTHER), relisted=True, there=(WEB,))
    pods = source(world)

    assert pods.read() == (WEB,)
    assert pods.read() == (WEB,)
    assert world.lists == 1


def test_check_after_a_listing_is_repeated_until_it_is_answered() -> None:
    """Until then the watch is believed: a pod too many hides an orphan, and invents none."""
    world = World(watched=(WEB, OTHER), relisted=True, there=(WEB,), error=UNREACHABLE)
    pods = source(world)

    assert pods.read() == (WEB, OTHER)
    world.error = None
    assert pods.read() == (WEB,)


def gone(world: World, pod: Pod = WEB) -> bool | Unavailable:
    """Ask once, in a scan of its own."""
    pods = source(world)
    pods.read()
    return pods.is_gone(pod)


def test_pod_that_nobody_knows_is_gone() -> None:
    """Absent from the list, and 404."""
    assert gone(World()) is True


def test_pod_of_the_same_name_with_another_uid_is_another_one() -> None:
    """A StatefulSet makes it within seconds."""
    world = World(there=())
    world.there = (a_pod(uid="new"),)

    assert gone(world) is True


def test_pod_in_the_list_is_not_gone() -> None:
    """The watch was late; one question is enough."""
    world = World(there=(WEB,))

    assert gone(world) is False
    assert world.gets == []


def test_pod_that_only_the_get_finds_is_not_gone() -> None:
    """Bound to another node after a change of names, or just created."""
    world = World(there=(WEB,))
    pods = ApiPods(world, lambda: (), world.get_now, WaitingPods(world.why_waiting, 30))
    pods.read()

    assert pods.is_gone(WEB) is False


def test_silence_is_no_answer() -> None:
    """An API server that is down makes no orphans."""
    for error in (UNREACHABLE, TimeoutError("too late")):
        answer = gone(World(error=error))

        assert isinstance(answer, Unavailable)


def test_api_server_that_fails_is_not_asked_again_in_the_same_scan() -> None:
    """Thirty suspicions would wait for thirty time limits, until the kubelet takes the agent for dead."""
    for relisted in (False, True):
        world = World(watched=(OTHER,), relisted=relisted, error=TimeoutError("too late"))
        scan(source(world), *(a_pod(uid=str(number)) for number in range(30)))

        assert (world.lists, len(world.gets)) == (1, 0)


def test_slow_api_server_is_asked_about_a_few_pods_in_each_scan() -> None:
    """Each answer takes four seconds: the scan ends in time, and in the end all are known to be gone."""
    world = World()
    now = 0.0

    def get_slowly(namespace: str, name: str) -> Pod | None:
        nonlocal now
        now += 4
        return world.get_now(namespace, name)

    pods = ApiPods(world, world.list_now, get_slowly, WaitingPods(world.why_waiting, 30), clock=lambda: now)
    suspects = [a_pod(uid=str(number)) for number in range(10)]
    asked = []
    for _ in range(4):
        before = now
        scan(pods, *suspects)
        asked.append(now - before)

    assert asked == [16, 16, 8, 0]
    pods.read()
    assert [pods.is_gone(one) for one in suspects] == [True] * 10


def scan(pods: ApiPods, *suspects: Pod) -> None:
    """Read and ask, as one scan does."""
    pods.read()
    for suspect in suspects:
        pods.is_gone(suspect)


def test_lasting_orphan_is_asked_for_once() -> None:
    """A uid never comes back."""
    world = World()
    pods = source(world)
    for _ in range(5):
        scan(pods, WEB)

    assert (world.lists, world.gets) == (1, ["team-a/web-x"])


def test_many_orphans_of_one_scan_share_a_list() -> None:
    """A kubelet that stopped working leaves all of them at once."""
    world = World()
    scan(source(world), *(a_pod(uid=str(number)) for number in range(30)))

    assert world.lists == 1
    assert len(world.gets) == 30


def test_answer_is_forgotten_when_nobody_asks_any_more() -> None:
    """The memory is bounded by what is suspected now."""
    world = World()
    pods = source(world)
    scan(pods, WEB)
    scan(pods)
    scan(pods, WEB)

    assert world.lists == 2


def test_list_is_not_older_than_the_scan() -> None:
    """A pod that was created since the last one must be seen."""
    world = World()
    pods = source(world)
    scan(pods, OTHER)
    world.there = (WEB,)
    pods.read()

    assert pods.is_gone(WEB) is False


def test_pods_without_sandbox_are_asked_about_in_their_second_scan() -> None:
    """See WaitingPods."""
    pods = source(World())

    assert [pods.waiting((WEB,)) for _ in range(2)] == [
        (),
        (WaitingPod(uid=WEB.uid, error="", last_failed_at=None),),
    ]
