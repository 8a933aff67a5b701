"""What kopf is told.

Its own classes for resources and registries are not public: they are the only way to see what it makes of our words,
and its version is pinned.
"""

import asyncio
from itertools import islice

import kopf
import pytest
from kopf._cogs.structs.references import Resource

from pausewatch.agent.kopf_operator import Backoffs, NoDifferences, login_of, operator_registry, operator_settings
from pausewatch.agent.kopf_session import Listeners, Session
from pausewatch.cluster.connection import Connection, ConnectionPlace
from pausewatch.model.availability import Unavailable

PODS = Resource(group="", version="v1", plural="pods", kind="Pod", singular="pod", namespaced=True)
REPORTS = Resource(
    group="pausewatch.github.io",
    version="v1alpha1",
    plural="podsandboxreports",
    kind="PodSandboxReport",
    singular="podsandboxreport",
    namespaced=False,
)
METRICS_OF_PODS = Resource(group="metrics.k8s.io", version="v1beta1", plural="pods", kind="PodMetrics")


def selectors(settings: kopf.OperatorSettings, resource: Resource) -> list[str]:
    """Return the field selectors that kopf puts into every LIST and WATCH of a resource."""
    return list(settings.watching.field_selectors.collect(resource))


def test_watches_are_filtered_by_the_server() -> None:
    """Or every agent of a cluster watches all of its pods and reports."""
    settings = operator_settings("node-7")

    assert selectors(settings, PODS) == ["spec.nodeName=node-7"]
    assert selectors(settings, REPORTS) == ["metadata.name=node-7"]
    assert selectors(settings, METRICS_OF_PODS) == []


@pytest.mark.parametrize("key", ["v1/pods", "pausewatch.github.io/podsandboxreports"])
def test_key_of_one_text_filters_nothing(key: str) -> None:
    """The trap that the test above guards: kopf takes such a key for a name, and matches nothing without a word."""
    settings = kopf.OperatorSettings()
    settings.watching.field_selectors[key] = "metadata.name=node-7"

    assert selectors(settings, PODS) == selectors(settings, REPORTS) == []


def test_lists_are_not_asked_for_in_pages() -> None:
    """Each further page would be read from etcd, among the pods of all nodes; see from_watch_cache."""
    assert operator_settings("node-7").watching.chunk_size is None


def test_kopf_neither_meets_peers_nor_reads_definitions() -> None:
    """Both would cost each agent a watch of the whole cluster, or a write a minute."""
    settings = operator_settings("node-7")

    assert settings.peering.standalone
    assert settings.scanning.disabled
    assert not settings.posting.enabled


def test_time_of_a_watch_is_a_whole_number() -> None:
    """It goes into the query as it is; the API server refuses 600.0."""
    assert isinstance(operator_settings("node-7").watching.server_timeout, int)


def test_no_handler_needs_a_finalizer_or_an_annotation() -> None:
    """Only indices and spies: nothing that kopf would write for."""
    registry = operator_registry(a_session())

    assert registry._spawning.get_all_handlers() == []
    assert registry._changing.get_all_handlers() == []
    assert registry._webhooks.get_all_handlers() == []
    assert len(registry._indexing.get_all_handlers()) == 1
    assert len(registry._watching.get_all_handlers()) == 2


def test_every_handler_names_its_group() -> None:
    """A handler without one makes kopf ask for every API group, and a single broken one ends it."""
    registry = operator_registry(a_session())
    handlers = [*registry._indexing.get_all_handlers(), *registry._watching.get_all_handlers()]

    assert {handler.selector.group for handler in handlers if handler.selector} == {"", "pausewatch.github.io"}


def test_waits_are_endless_and_grow() -> None:
    """kopf's own ones end after 54 s, and kopf with them."""
    waits = list(islice(Backoffs(), 100))

    assert 0.5 <= waits[0] <= 1
    assert all(16 <= wait <= 32 for wait in waits[5:])
    assert waits != list(islice(Backoffs(), 100))


def test_objects_are_not_copied_to_find_differences() -> None:
    """Nobody asks for them."""
    assert NoDifferences().build(body={"metadata": {"name": "a"}}) == {}


def test_login_is_asked_for_again_before_a_token_ends() -> None:
    """The kubelet renews it; ten minutes are well within its hour."""

    async def login() -> kopf.AiohttpSession:
        info = login_of(Connection(server="https://192.0.2.1", token="secret"), lambda _, __: None)  # noqa: S106  of a test
        await info.aiohttp_session.close()
        return info

    info = asyncio.run(login())

    assert info.server == "https://192.0.2.1"
    assert info.aiohttp_session.headers["Authorization"] == "Bearer secret"
    assert info.expiration is not None


@pytest.mark.parametrize(
    "connection",
    [
        Unavailable(reason="NoConnection", detail="there is none"),
        Connection(server="https://192.0.2.1", authority="no certificate"),
    ],
)
def test_login_that_is_not_possible_is_tried_again(connection: Connection | Unavailable) -> None:
    """Somebody mends the kubeconfig, and nobody has to restart the agent."""

    async def login() -> None:
        login_of(connection, lambda _, __: None)

    with pytest.raises(kopf.TemporaryError):
        asyncio.run(login())


def a_session() -> Session:
    """Return a session that has not begun."""
    listeners = Listeners(completed=lambda: None, report_seen=lambda _: None, answered_again=lambda: None)
    return Session("node-7", ConnectionPlace(kubeconfig=None), listeners)
