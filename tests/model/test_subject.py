"""What a finding is about, and the id made from it."""

from pausewatch.model.subject import Subject

CONTAINER = Subject(namespace="team-a", pod="web-x", uid="uid", sandbox_id="3f2a91c04d7e" + "0" * 52, container="app")


def test_id_is_check_subject_and_start_of_the_sandbox_id() -> None:
    """The form that the resource promises."""
    assert CONTAINER.finding_id("zombie-buildup") == "zombie-buildup/web-x/app/3f2a91c04d7e"
    assert CONTAINER.finding_id("namespace-not-shared", "network") == (
        "namespace-not-shared/web-x/app/network/3f2a91c04d7e"
    )


def test_sandbox_and_node_are_subjects_too() -> None:
    """Without a container, and without a pod."""
    sandbox = Subject(namespace="team-a", pod="web-x", uid="uid", sandbox_id="3f2a91c04d7e" + "0" * 52)

    assert sandbox.finding_id("zombie-buildup") == "zombie-buildup/web-x/3f2a91c04d7e"
    assert Subject().finding_id("zombie-buildup") == "zombie-buildup/node"


def test_pod_without_sandbox_is_told_by_its_uid() -> None:
    """Two Kubernetes namespaces may have a pod of one name."""
    waiting = Subject(namespace="team-a", pod="web-x", uid="0f8fad5b-d9cb-469f-a165-70867728950e")

    assert waiting.finding_id("sandbox-create-failing") == "sandbox-create-failing/web-x/0f8fad5b-d9c"


def test_reads_as_people_write_it() -> None:
    """Namespace, pod, container; or the node."""
    assert str(CONTAINER) == "team-a/web-x/app"
    assert str(Subject()) == "the node"
    assert Subject().is_node
    assert not CONTAINER.is_node
