"""What may befall the API server of a cluster, beyond being stopped: one verb each."""

import sys

from lab.connections import unread_connections
from lab.errors import LabError
from lab.shapes.cluster_control import ClusterControl
from lab.shapes.cluster_daemons import API_PORT
from lab.shapes.cluster_processes import Daemon
from lab.shapes.cluster_tokens import shortened

#: Has etcd forget everything before its latest revision (etcd: api/etcdserverpb, CompactionRequest).
_COMPACTION = """\
import json, urllib.request
def call(name, **body):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:2379/v3/kv/{name}", json.dumps(body).encode(), timeout=20) as answer:
        return json.load(answer)
revision = call("range", key="AA==")["header"]["revision"]
call("compaction", revision=revision, physical=True)
print(revision)
"""


def forget_history(cluster: ClusterControl) -> int:
    """Compact etcd, as the API server does every five minutes, and return the revision that is its oldest now.

    A watch that begins before it is told 410 Gone, by an API server that is started after this: one that runs remembers
    by itself what it has seen.
    """
    return int(cluster.runtime.enter(sys.executable, "-I", "-c", _COMPACTION))


def unread_requests(cluster: ClusterControl, client_pid: int) -> int:
    """On how many connections a process has sent something that a paused API server has not read yet.

    Raises:
        LabError: The API server does not run.
    """
    name = "kube-apiserver"
    server = Daemon(cluster.name, name, cluster.places.log(name)).find()
    if server is None:
        raise LabError("the API server does not run")
    return unread_connections(server, API_PORT, client_pid)


def short_token(cluster: ClusterControl, account: str, namespace: str, seconds: float) -> str:
    """A token that names the node, as that of a pod does, and is refused after so many seconds; see `shortened`."""
    key = cluster.places.certificates.key("service-account")
    return shortened(cluster.token(account, namespace, bound_to_node=True), key, seconds)
