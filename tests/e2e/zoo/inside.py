"""What goes on inside containers: nested namespaces, node shells, threads, probes, images that are pauses."""

from e2e.zoo.kinds import NAMESPACE, Kind, Manifest, container, pod, runs, shell
from lab.pins import PAUSE_IMAGE

PRIVILEGED = {"privileged": True}
SOME_ID = "0123456789abcdef" * 4
FOREVER = "sleep 1000000"
TO_THE_NODE = "nsenter -t $PPID -m -n"
"""Into the namespaces of the shim, which are the node's. People take PID 1 for that; in the lab it is the machine's,
and may have rights that no container can be given."""


def kinds() -> tuple[Kind, ...]:
    """Return the family."""
    return (
        _running(pod("balloon", {"name": "app", "image": PAUSE_IMAGE, "imagePullPolicy": "Never"})),
        _running(pod("balloon-shared", _pause("one"), _pause("two"), shareProcessNamespace=True)),
        _running(pod("probed", container(livenessProbe=_each_second("true"), readinessProbe=_each_second("true")))),
        _running(pod("dead-leader", container(command=("misbehave", "dead-leader")))),
        _running(pod("dead-leaders", container(command=("misbehave", "dead-leaders", "12")))),
        _running(pod("few-zombies", container(command=("misbehave", "children", "3")))),
        _running(pod("spawning", container(command=shell("while :; do (sleep 0.05 &); sleep 0.05; done")))),
        _running(pod("node-shell", _node_shell(f"{TO_THE_NODE} -u -i -p {FOREVER}"), hostPID=True)),
        _running(pod("node-shell-below", _node_shell(f"{TO_THE_NODE} {FOREVER}; exit 1"), hostPID=True)),
        _running(pod("node-shell-first", _node_shell(f"exec {TO_THE_NODE} -u -i -p {FOREVER}"), hostPID=True)),
        _running(pod("builder", _node_shell(f"unshare -Urpf {FOREVER}; exit 1"))),
        _running(
            pod("builder-first", container(command=("unshare", "-Urm", *FOREVER.split()), securityContext=PRIVILEGED))
        ),
        _running(pod("builder-network", _node_shell(f"unshare -nipf {FOREVER}; exit 1"))),
        _running(pod("nested-cgroup", _node_shell(_move_below(f"docker/{SOME_ID}")))),
        _running(pod("changes-address", _administers_network(_CHANGE_ADDRESS))),
        _running(pod("adds-addresses", _administers_network(_ADD_ADDRESSES))),
        _running(pod("unprivileged", container(securityContext={"runAsUser": 65534, "readOnlyRootFilesystem": True}))),
        _running(_nonsense()),
    )


_CHANGE_ADDRESS = (
    "ip address flush dev eth0; while :; do ip address add 192.0.2.7/32 dev eth0; sleep 1;"
    " ip address del 192.0.2.7/32 dev eth0; sleep 1; done"
)
_ADD_ADDRESSES = (
    "ip address add 192.0.2.9/32 dev eth0; ip address add 127.0.0.53/8 dev lo;"
    " ip link add tunnel type dummy; ip address add 192.0.2.10/32 dev tunnel; ip link set tunnel up; " + FOREVER
)


def _running(manifest: Manifest) -> Kind:
    name = manifest["metadata"]["name"]
    return Kind(name=name, manifests=(manifest,), is_odd=runs(name))


def _pause(name: str) -> Manifest:
    return {"name": name, "image": PAUSE_IMAGE, "imagePullPolicy": "Never"}


def _each_second(*command: str) -> Manifest:
    return {"exec": {"command": command}, "periodSeconds": 1}


def _node_shell(script: str) -> Manifest:
    return container(command=shell(script), securityContext=PRIVILEGED)


def _administers_network(script: str) -> Manifest:
    return container(command=shell(script), securityContext={"capabilities": {"add": ["NET_ADMIN"]}})


def _move_below(path: str) -> str:
    """Return a script that runs a process in a cgroup below the container's own, as a container engine inside does."""
    move = f"mkdir -p $tree/{path} && echo $$ >$tree/{path}/cgroup.procs"
    inner = f"for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do {move}; done 2>/dev/null; exec unshare -pf {FOREVER}"
    return f"sh -c '{inner}' & {FOREVER}; exit 1"


def _nonsense() -> Manifest:
    """Return a pod whose author wrote what only the kubelet and the runtime write."""
    manifest = pod("nonsense")
    manifest["metadata"]["labels"] = {
        "io.kubernetes.pod.name": "another",
        "io.kubernetes.pod.namespace": "kube-system",
        "io.kubernetes.container.name": "POD",
        "io.cri-containerd.kind": "sandbox",
    }
    manifest["metadata"]["annotations"] = {
        "kubernetes.io/config.source": "file",
        "kubernetes.io/config.seen": "yesterday",
        "io.kubernetes.cri.sandbox-id": SOME_ID,
        "io.kubernetes.container.terminationGracePeriod": "minus one",
        "pausewatch.github.io/ignore": "true",
        "note": "\u202egnp.exe \x1b[31m $(reboot) `reboot`",
    }
    manifest["metadata"]["namespace"] = NAMESPACE
    return manifest
