"""Linux namespaces as the kernel names them."""

from pausewatch.model.linux_namespace import NamespaceKind, NamespaceLinks, namespace_text


def test_text_is_what_readlink_prints() -> None:
    """People compare our evidence with readlink's output."""
    assert namespace_text(NamespaceKind.NETWORK, 4026531840) == "net:[4026531840]"
    assert namespace_text(NamespaceKind.PID, 4026531836) == "pid:[4026531836]"


def test_links_are_found_by_kind() -> None:
    """Each kind has its own number."""
    links = NamespaceLinks(network=1, ipc=2, uts=3, pid=4, user=5)

    assert [links.of(kind) for kind in NamespaceKind] == [1, 2, 3, 4, 5]
