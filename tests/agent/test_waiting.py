"""When the API server is asked about pods without ready sandbox: rarely, and few at a time."""

from dataclasses import dataclass, field

from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.errors import ApiError
from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod, WaitingPod
from support.parts import TAKEN_AT, a_pod

PERIOD_SECONDS = 30.0


@dataclass
class World:
    """What the API server would answer, by uid, and who was asked about."""

    answers: dict[str, WaitingPod | None] = field(default_factory=dict)
    error: Exception | None = None
    seconds: float = 1000.0
    asked: list[str] = field(default_factory=list)

    def ask(self, pod: Pod) -> WaitingPod | None:
        """Answer."""
        self.asked.append(pod.uid)
        if self.error:
            raise self.error
        return self.answers.get(pod.uid, silent(pod.uid))

    def source(self) -> WaitingPods:
        """Return what asks it."""
        return WaitingPods(self.ask, PERIOD_SECONDS, lambda: self.seconds)

    def scan(self, source: WaitingPods, *suspects: Pod, times: int = 1) -> tuple[WaitingPod, ...] | Unavailable:
        """Scan so many times, a period apart, and return what the last scan learned."""
        for _ in range(times):
            self.seconds += PERIOD_SECONDS
            found = source.among(suspects)
        return found

    def asked_at(self, suspect: Pod, *, scans: int) -> list[int]:
        """Return in which of so many scans, counted from 1, the API server was asked about a pod."""
        source = self.source()
        found = []
        for scan in range(1, scans + 1):
            before = len(self.asked)
            self.scan(source, suspect)
            if len(self.asked) > before:
                found.append(scan)
        return found


def silent(uid: str) -> WaitingPod:
    """Return a pod that waits, without a failure."""
    return WaitingPod(uid=uid, error="", last_failed_at=None)


def failing(uid: str) -> WaitingPod:
    """Return a pod whose sandbox can not be made."""
    return WaitingPod(uid=uid, error="no room", last_failed_at=TAKEN_AT)


def pods(count: int) -> tuple[Pod, ...]:
    """Return so many pods with uids "0", "1", ..."""
    return tuple(a_pod(name=f"web-{number}", uid=str(number)) for number in range(count))


WEB = a_pod(uid="web")


def test_pod_is_asked_about_at_its_second_scan() -> None:
    """Most get their sandbox within one period."""
    world = World(answers={"web": failing("web")})
    source = world.source()

    assert world.scan(source, WEB) == ()
    assert world.asked == []
    assert world.scan(source, WEB) == (failing("web"),)
    assert world.asked == ["web"]


def test_pod_that_got_its_sandbox_meanwhile_begins_anew() -> None:
    """One that lost it again is given time to get another one."""
    world = World()
    source = world.source()
    world.scan(source, WEB)
    world.scan(source)
    world.scan(source, WEB)

    assert world.asked == []


def test_answer_is_asked_for_at_most_once_a_minute_and_then_ever_more_rarely() -> None:
    """A pod may wait for its volume for days."""
    world = World()

    assert world.asked_at(WEB, scans=40) == [2, 4, 8, 16, 26, 36]


def test_failure_is_asked_for_again_after_five_minutes() -> None:
    """When no pod of any node gets a sandbox, thousands of agents ask."""
    world = World(answers={"web": failing("web")})
    source = world.source()

    assert world.scan(source, WEB, times=11) == (failing("web"),)
    assert len(world.asked) == 1
    world.answers = {"web": silent("web")}
    assert world.scan(source, WEB) == (silent("web"),)


def test_pod_at_its_end_is_asked_about_once() -> None:
    """Its phase never changes again, and it stays for as long as somebody wants to read its log."""
    world = World(answers={"web": None})

    assert world.scan(world.source(), WEB, times=100) == ()
    assert world.asked == ["web"]


def test_few_are_asked_about_in_one_scan() -> None:
    """In turn: whoever was never asked about comes first, in the order of the suspects."""
    world = World()
    source = world.source()
    world.scan(source, *pods(7), times=2)
    assert world.asked == ["0", "1", "2", "3", "4"]
    world.scan(source, *pods(7))
    assert world.asked[5:] == ["5", "6"]


def test_silence_is_unavailable_and_asked_for_later() -> None:
    """The first error ends it for this scan: the others would wait for the same silence."""
    world = World(error=ApiError("GET /x", 0, "Unreachable", "refused"))
    source = world.source()

    found = world.scan(source, *pods(3), times=2)

    assert isinstance(found, Unavailable)
    assert found.reason == "Unreachable"
    assert isinstance(world.scan(source, *pods(3)), Unavailable)
    assert world.asked == ["0"]
    world.error = None
    assert world.scan(source, *pods(3)) == tuple(silent(str(number)) for number in range(3))


def test_api_server_that_does_not_answer_is_asked_ever_more_rarely() -> None:
    """Thousands of agents ask it for what it may have no time for; with the first answer they begin anew."""
    world = World(error=ApiError("GET /x", 429, "TooManyRequests", "later"))

    assert world.asked_at(WEB, scans=40) == [2, 4, 8, 16, 26, 36]


def test_late_answer_is_unavailable() -> None:
    """The event loop that talks to the API server may be busy."""
    world = World(error=TimeoutError("too late"))

    found = world.scan(world.source(), WEB, times=2)

    assert isinstance(found, Unavailable)
    assert found.reason == "Timeout"


def test_silence_that_nobody_asks_into_is_none() -> None:
    """On a node where every pod has its sandbox the check passes, whatever the API server did a minute ago."""
    world = World(error=ApiError("GET /x", 0, "Unreachable", "refused"))
    source = world.source()
    world.scan(source, WEB, times=2)

    assert world.scan(source) == ()
