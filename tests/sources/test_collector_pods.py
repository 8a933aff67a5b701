"""What the API server is asked about pods, and what it adds to what the runtime tells."""

from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.pod import Pod
from pausewatch.model.settings import Settings
from pausewatch.sources.collector import Collector
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from sources.collected import WEB_SANDBOX, WEB_UID, Pods
from sources.cri.fake_runtime import FakeRuntime
from sources.cri.recorded import recorded_sandbox


class OneAnswer(Pods):
    """An API server that answers one question a scan."""

    def is_gone(self, pod: Pod) -> bool | Unavailable:
        """Answer the first one."""
        self.asked.append(pod.uid)
        return self.gone if len(self.asked) == 1 else Unavailable(reason="ApiServerSlow", detail="took too long")

    def read(self) -> tuple[Pod, ...] | Unavailable:
        """Begin a scan."""
        self.asked = []
        return self.watched


class TestConfirmingAnOrphan:
    """A sandbox whose pod the watch lacks."""

    def confirm(self, path: Path, pods: Pods, runtime: FakeRuntime | None = None) -> list[str]:
        """Read the node and confirm the sandbox; the runtime may lose it in between."""
        settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
        with Collector(settings, pods) as collector:
            snapshot = collector.collect()
            assert snapshot.pods == pods.watched
            if runtime is not None:
                runtime.sandboxes.clear()
            return [one.reason for one in collector.confirm(snapshot, [WEB_SANDBOX]).changed_owners]

    @pytest.mark.usefixtures("runtime")
    def test_stands_when_the_api_server_itself_says_so(self, path: Path) -> None:
        """Asked about exactly that uid."""
        pods = Pods((), gone=True)

        assert self.confirm(path, pods) == []
        assert pods.asked == [WEB_UID]

    @pytest.mark.usefixtures("runtime")
    def test_falls_when_the_watch_was_behind(self, path: Path) -> None:
        """The pod is there after all."""
        assert self.confirm(path, Pods((), gone=False)) == ["its pod is in the API"]

    @pytest.mark.usefixtures("runtime")
    def test_falls_when_the_api_server_does_not_answer(self, path: Path) -> None:
        """Unknown is not gone."""
        down = Unavailable(reason="ApiServerUnreachable", detail="connection refused")

        assert self.confirm(path, Pods((), gone=down)) == ["could not be confirmed: connection refused"]

    def test_has_its_turn_when_too_few_answers_come_in_one_scan(self, path: Path, runtime: FakeRuntime) -> None:
        """Who was left out in one comes first in the next: asked in one order, the last would never be confirmed."""
        shared = recorded_sandbox("containerd-2.4/sharedpid")
        runtime.add_sandbox(*shared)
        pods = OneAnswer((), gone=True)
        settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
        with Collector(settings, pods) as collector:
            unconfirmed = [
                [
                    one.owner_id
                    for one in collector.confirm(collector.collect(), [WEB_SANDBOX, shared[0].id]).changed_owners
                ]
                for _ in range(3)
            ]

        assert sorted(unconfirmed[0] + unconfirmed[1]) == sorted([WEB_SANDBOX, shared[0].id])
        assert unconfirmed[2] == unconfirmed[0]

    def test_falls_when_the_sandbox_is_gone_meanwhile(self, path: Path, runtime: FakeRuntime) -> None:
        """The kubelet has removed it: no need to ask the API server."""
        pods = Pods((), gone=True)

        assert self.confirm(path, pods, runtime) == ["is not ready"]
        assert pods.asked == []

    @pytest.mark.usefixtures("runtime")
    def test_is_not_asked_for_a_pod_that_is_watched(self, path: Path) -> None:
        """Another suspicion about its sandbox costs the API server nothing."""
        watched = Pod(namespace="default", name="web", uid=WEB_UID, deletion_grace_seconds=None)
        pods = Pods((watched,), gone=True)

        assert self.confirm(path, pods) == []
        assert pods.asked == []

    @pytest.mark.usefixtures("runtime")
    def test_is_not_asked_while_no_pods_are_known(self, path: Path) -> None:
        """An agent that starts without API server must see what is wrong on its node all the same."""
        down = Unavailable(reason="ApiServerUnreachable", detail="connection refused")
        pods = Pods(down, gone=down)

        assert self.confirm(path, pods) == []
        assert pods.asked == []


class TestPodsWithoutSandbox:
    """Pods that the API server knows, and the runtime has no ready sandbox of."""

    WEB = Pod(namespace="default", name="web", uid=WEB_UID, deletion_grace_seconds=None)
    NEW = Pod(namespace="default", name="new", uid="new", deletion_grace_seconds=None)
    ENDING = Pod(namespace="default", name="ending", uid="ending", deletion_grace_seconds=30)

    def suspects(self, path: Path, *watched: Pod) -> tuple[Pod, ...]:
        """Read the node, and return whom the API server was asked about."""
        settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
        pods = Pods(watched, gone=False)
        with Collector(settings, pods) as collector:
            assert collector.collect().waiting_pods == ()
        return pods.suspects

    @pytest.mark.usefixtures("runtime")
    def test_are_asked_about_unless_they_are_deleted(self, path: Path) -> None:
        """A pod that ends needs no sandbox; one that has it waits for nothing."""
        assert self.suspects(path, self.WEB, self.NEW, self.ENDING) == (self.NEW,)

    def test_those_that_never_had_a_container_come_first(self, path: Path, runtime: FakeRuntime) -> None:
        """Those that had one have mostly run to their end."""
        listed, told = runtime.sandboxes[WEB_SANDBOX]
        listed.state = told.status.state = cri.SANDBOX_NOTREADY

        assert self.suspects(path, self.WEB, self.NEW) == (self.NEW, self.WEB)

    def test_are_unknown_without_runtime(self, path: Path) -> None:
        """It would seem as if no pod had a sandbox."""
        pods = Pods((self.WEB,), gone=False)
        settings = Settings(node_name="node-7", runtime_endpoint=f"unix://{path}", runtime_timeout_seconds=0.5)
        with Collector(settings, pods) as collector:
            snapshot = collector.collect()

        assert snapshot.pods == (self.WEB,)
        assert snapshot.waiting_pods == snapshot.sandboxes
        assert isinstance(snapshot.waiting_pods, Unavailable)
        assert pods.suspects == ()
