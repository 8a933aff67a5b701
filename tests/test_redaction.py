import json
from dataclasses import replace

import pytest

from pausewatch.model.access import AccessFact
from pausewatch.model.availability import Unavailable
from pausewatch.model.history import History
from pausewatch.model.pod import WaitingPod
from pausewatch.model.settings import Settings
from pausewatch.model.snapshot import ChangedOwner, Snapshot
from pausewatch.recording import Redaction, render
from pausewatch.redaction import redact, with_pseudonyms
from pausewatch.scan import judge
from support.builders import a_snapshot, present
from support.changes import with_container, with_first_process, with_sandbox
from support.parts import WEB_APP_ID, WEB_SANDBOX_ID, WEB_UID


def failed_call(detail: str) -> Unavailable:
    """Return what stands for something that the runtime refused to tell."""
    return Unavailable(reason="CallFailed", detail=detail)


def quoted(detail: str, **changes: str) -> str:
    """Return what redaction makes of a sentence about a sandbox."""
    details = redact(with_sandbox(a_snapshot(**changes), WEB_SANDBOX_ID, details=failed_call(detail)))
    sandbox = next(one for one in present(details.sandboxes) if one.id == WEB_SANDBOX_ID)
    assert isinstance(sandbox.details, Unavailable)
    return sandbox.details.detail


def test_error_of_a_pod_that_waits_for_its_sandbox_is_a_sentence_too() -> None:
    """It quotes the runtime, and with it registries."""
    waiting = WaitingPod(uid=WEB_UID, error="dial registry.corp.example: refused on node-7", last_failed_at=None)

    (redacted,) = present(redact(a_snapshot(waiting_pods=(waiting,))).waiting_pods)

    assert redacted == WaitingPod(uid=WEB_UID, error="dial redacted: refused on node", last_failed_at=None)


@pytest.mark.parametrize(
    ("image", "redacted"),
    [
        ("registry.k8s.io/pause:3.10", "redacted/pause:3.10"),
        ("registry.corp.example:5000/team/secret/app:1", "redacted/app:1"),
        ("team/app", "redacted/app"),
        ("10.0.0.9:5000/app@sha256:0123", "redacted/app@sha256:0123"),
        ("sha256:0123456789", "sha256:0123456789"),
        ("", ""),
    ],
)
def test_images_lose_all_but_their_last_component(image: str, redacted: str) -> None:
    """Registry and organisation go; name, tag and digest stay, because findings compare them."""
    look = redact(with_container(with_sandbox(a_snapshot(), WEB_SANDBOX_ID, image=image), WEB_APP_ID, image=image))

    sandbox = next(one for one in present(look.sandboxes) if one.id == WEB_SANDBOX_ID)
    container = next(one for one in present(look.containers) if one.id == WEB_APP_ID)
    assert not isinstance(sandbox.details, Unavailable)
    assert (sandbox.details.image, container.image) == (redacted, redacted)


@pytest.mark.parametrize(
    ("detail", "redacted"),
    [
        ('pull "registry.corp.example:5000/a/b:1": not found', 'pull "redacted/b:1": not found'),
        ("pull myregistry:5000/a/b: not found", "pull redacted/b: not found"),
        ("dial tcp: lookup registry.corp.example: no such host", "dial tcp: lookup redacted: no such host"),
        ("Get https://corp-auth:443/token?x: 401", "Get redacted 401"),
        ("node-7 and node-77 and static-node-7", "node and node-77 and static-node"),
        ("connect /run/containerd/containerd.sock: refused", "connect /run/containerd/containerd.sock: refused"),
        ("the runtime at unix:///run/crio/crio.sock hangs", "the runtime at unix:///run/crio/crio.sock hangs"),
        ("could not read /proc/12/ns/net, net:[4026531840]", "could not read /proc/12/ns/net, net:[4026531840]"),
    ],
)
def test_sentences_lose_hosts_and_keep_paths(detail: str, redacted: str) -> None:
    """The runtime's own words may hold hosts that stand nowhere else; paths on the node are needed to help."""
    assert quoted(detail) == redacted


def test_node_goes_by_its_short_name_too() -> None:
    """Programs shorten a full host name at its first dot."""
    assert quoted("on ip-10-0-0-1: x", node_name="ip-10-0-0-1.corp.example") == "on node: x"


def test_no_registry_or_node_name_is_left_in_the_bytes() -> None:
    """Wherever such text stands in a Snapshot, a recording does not show it."""
    image = "registry.corp.example:5000/secret-team/app:1"
    sentence = f'failed to pull "{image}": lookup registry.corp.example on worker-9.corp.example'
    look = a_snapshot(
        node_name="worker-9.corp.example",
        host_links=failed_call(sentence),
        changed_owners=(ChangedOwner(owner_id=WEB_APP_ID, reason=sentence),),
        access=(AccessFact(name="runtime-socket", granted=False, detail=sentence, lost=sentence, remedy=sentence),),
    )
    look = with_container(look, WEB_APP_ID, image=image)
    look = with_sandbox(look, WEB_SANDBOX_ID, name="etcd-worker-9.corp.example", image=image)
    look = with_first_process(look, WEB_APP_ID, links=failed_call(sentence))

    text = render((look, look))

    assert [word for word in ("corp.example", "secret-team", "worker-9") if word in text] == []
    assert "redacted/app:1" in text


def test_what_findings_rest_on_remains() -> None:
    """A redacted recording is judged like the node itself."""
    ill = with_first_process(a_snapshot(), WEB_APP_ID, network=4_026_531_840)

    def found(look: Snapshot) -> list[str]:
        first = judge(look, History(), Settings())
        return [finding.id for finding in judge(look, first.history, Settings()).report.findings]

    assert found(ill)
    assert found(redact(ill)) == found(ill)


def test_names_become_the_same_pseudonyms_in_all_looks() -> None:
    """Findings stay comparable within a file, and the number tells nothing about the name."""
    first, second = with_pseudonyms((a_snapshot(), a_snapshot()))

    assert first == second
    assert {(one.namespace, one.name) for one in present(first.sandboxes)} == {
        ("namespace-1", "pod-1"),
        ("namespace-2", "pod-2"),
    }
    assert {one.name for one in present(first.containers)} == {"container-1", "container-2", "container-3"}
    names = {one.name for one in present(first.processes)}
    originals = {one.name for one in present(a_snapshot().processes)}
    assert names == {f"process-{number}" for number in range(1, len(originals) + 1)}


def test_later_look_brings_new_names_only() -> None:
    """A process that appears between the looks does not renumber the others."""
    before, after = a_snapshot(), a_snapshot()
    newcomer = replace(present(after.processes)[-1], name="newcomer")
    after = replace(after, processes=(*present(after.processes), newcomer))

    first, second = with_pseudonyms((before, after))

    assert present(second.processes)[:-1] == present(first.processes)
    assert present(second.processes)[-1].name not in {one.name for one in present(first.processes)}


def test_no_name_is_left_in_the_bytes() -> None:
    """Names in sentences go as well; identities stay."""
    look = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, details=failed_call('container "side" of web-x in team-a failed'))

    text = render((look, look), Redaction.NAMES)

    values = json.dumps(json.loads(text)["looks"])
    assert [name for name in ("team-a", "team-b", "shared-y", '"side"', "kubelet", "worker") if name in values] == []
    assert WEB_SANDBOX_ID in values
    assert "container-2" in values
