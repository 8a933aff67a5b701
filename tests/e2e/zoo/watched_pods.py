"""The pods of the cluster's node as the agent knows them: watched, and asked about, in an event loop of its own."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pausewatch.agent.pod_watch import PodWatch
from pausewatch.agent.pods import ApiPods
from pausewatch.agent.threads import ask_loop
from pausewatch.agent.waiting import WaitingPods
from pausewatch.cluster.client import ApiClient
from pausewatch.cluster.connection import ConnectionPlace
from pausewatch.cluster.pods import get_pod, list_pods
from pausewatch.cluster.waiting_pods import ask_why_waiting

ANSWER_SECONDS = 20.0

T = TypeVar("T")


@contextmanager
def watched_pods(node_name: str, kubeconfig: Path) -> Iterator[ApiPods]:
    """Watch the pods of a node, and yield what answers a Collector's questions about them.

    Args:
        node_name: Of the cluster's node.
        kubeconfig: Of the agent's service account, so that it may ask no more than the agent may.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="watched-pods", daemon=True)
    thread.start()
    place = ConnectionPlace(kubeconfig=kubeconfig)
    watch = PodWatch(node_name, place, report_seen=lambda _: None, gap_seen=lambda: None)
    client = ApiClient(place)

    def ask(question: Coroutine[Any, Any, T]) -> T:
        return ask_loop(loop, question, ANSWER_SECONDS)

    pods = ApiPods(
        watch,
        lambda: ask(list_pods(client, node_name)),
        lambda namespace, name: ask(get_pod(client, namespace, name)),
        WaitingPods(lambda pod: ask(ask_why_waiting(client, pod)), period_seconds=1),
    )

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(watch.run())
        await asyncio.wait_for(watch.was_complete.wait(), ANSWER_SECONDS)
        return task

    async def end(task: asyncio.Task[None]) -> None:
        task.cancel()
        watch.stop()
        await asyncio.wait([task], timeout=ANSWER_SECONDS)
        await client.close()

    try:
        task = ask_loop(loop, begin(), ANSWER_SECONDS)
        try:
            yield pods
        finally:
            ask_loop(loop, end(task), 2 * ANSWER_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(ANSWER_SECONDS)
        loop.close()
        # kopf leaves its last connection open: the warning about that would be charged to whichever test comes next.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
