"""The daemons of a cluster: their command lines and configuration files.

Each listens in the lab's network namespace only, at its usual port: two clusters never meet.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.build.cluster import ClusterPrograms
from lab.cgroups import LabCgroup
from lab.network import LabNetwork
from lab.places import Places
from lab.shapes.cluster_certificates import Certificates
from lab.shapes.containerd import pod_range

NODE_NAME = "lab-node"
API_PORT = 6443
SERVICE_RANGE = "10.96.0.0/16"
#: The first address of the range is the API server's own service.
_API_SERVICE = "10.96.0.1"
ETCD = "http://127.0.0.1:2379"
_KUBELET_SCRIPT = Path(__file__).with_name("kubelet.sh")
#: Nobody answers there. Without a file of its own the kubelet would copy the machine's name servers into pods.
_RESOLV_CONF = "nameserver 10.255.255.53\n"


@dataclass(frozen=True)
class ClusterPlaces:
    """The paths of one node of a cluster, below those of its lab; certificates are the whole cluster's."""

    lab: Places

    @property
    def node_name(self) -> str:
        """What the node is called in the API."""
        return self.lab.nested_node or NODE_NAME

    @property
    def api_address(self) -> str:
        """Where the API server is reached, from the machine and from every node."""
        return LabNetwork(self.lab.outermost.name).node_address

    @property
    def audit_log(self) -> Path:
        """One JSON line per stage of each request to the API server. Not on /run, which is memory."""
        return self.lab.state / "audit.log"

    @property
    def static_pods(self) -> Path:
        """The kubelet runs what manifests lie here, without asking the API server."""
        return self.lab.run / "static-pods"

    @property
    def configuration(self) -> Path:
        """Configuration files of the daemons."""
        return self.lab.run / "cluster"

    @property
    def volume_plugins(self) -> Path:
        """Plugins of the kind FlexVolume; there are none."""
        return self.lab.state / "volume-plugins"

    @property
    def certificates(self) -> Certificates:
        """Certificates and kubeconfigs."""
        return Certificates(self.lab.outermost.run / "certificates", f"https://{self.api_address}:{API_PORT}")

    @property
    def kubelet_identity(self) -> str:
        """The name of the files with which the kubelet proves who it is."""
        return f"kubelet-{self.node_name}"

    def log(self, daemon: str) -> Path:
        """What a daemon writes, over all its starts."""
        return self.lab.run / f"{daemon}.log"


def write_cluster_files(places: ClusterPlaces) -> None:
    """Write all that the daemons of a cluster's first node read at their start.

    Raises:
        LabError: A certificate could not be made.
    """
    _write_certificates(places)
    write_node_files(places)
    (places.configuration / "audit.json").write_text(json.dumps(_audit_policy()))


def write_node_files(places: ClusterPlaces) -> None:
    """Write what kubelet and kube-proxy of one node read at their start; the cluster's authority is there.

    Raises:
        LabError: A certificate could not be made.
    """
    for directory in (places.configuration, places.static_pods):
        directory.mkdir(parents=True, exist_ok=True)
    places.certificates.make_client(places.kubelet_identity, f"system:node:{places.node_name}", "system:nodes")
    write = places.configuration.joinpath
    write("resolv.conf").write_text(_RESOLV_CONF)
    write("kubelet.json").write_text(json.dumps(kubelet_configuration(places), indent=1))
    write("kube-proxy.json").write_text(json.dumps(_kube_proxy_configuration(places), indent=1))


def _write_certificates(places: ClusterPlaces) -> None:
    certificates = places.certificates
    certificates.make_authority()
    addresses = (places.api_address, _API_SERVICE, "127.0.0.1")
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
    alternatives = (*(f"IP:{address}" for address in addresses), *(f"DNS:{name}" for name in names))
    certificates.make_server("kube-apiserver", ",".join(alternatives))
    certificates.make_server("service-account", "DNS:service-account")  # only for its pair of keys
    certificates.make_client("admin", "admin", "system:masters")
    for component in ("kube-controller-manager", "kube-scheduler", "kube-proxy"):
        certificates.make_client(component, f"system:{component}")
    certificates.make_client("kubelet-client", "kube-apiserver", "system:masters")


def etcd(programs: ClusterPrograms, places: ClusterPlaces, *, waits_for_disk: bool = False) -> list[str]:
    """The command of etcd. Nothing it stores has to outlive a power cut, so it waits for the disk only if asked to."""
    peer = "http://127.0.0.1:2380"
    return [
        str(programs.etcd),
        *("--data-dir", str(places.lab.state / "etcd"), "--log-level=warn"),
        *(() if waits_for_disk else ("--unsafe-no-fsync",)),
        *("--listen-client-urls", ETCD, "--advertise-client-urls", ETCD),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"),
    ]


def kube_apiserver(programs: ClusterPrograms, places: ClusterPlaces) -> list[str]:
    """The command of the API server."""
    certificates = places.certificates
    client = "kubelet-client"
    return [
        str(programs.kube_apiserver),
        f"--etcd-servers={ETCD}",
        f"--secure-port={API_PORT}",
        f"--advertise-address={places.api_address}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--tls-cert-file={certificates.certificate('kube-apiserver')}",
        f"--tls-private-key-file={certificates.key('kube-apiserver')}",
        f"--client-ca-file={certificates.certificate('ca')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificates.certificate('service-account')}",
        f"--service-account-signing-key-file={certificates.key('service-account')}",
        f"--kubelet-client-certificate={certificates.certificate(client)}",
        f"--kubelet-client-key={certificates.key(client)}",
        "--kubelet-preferred-address-types=InternalIP",  # logs and exec: nobody resolves the node's name
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
        f"--audit-policy-file={places.configuration / 'audit.json'}",
        f"--audit-log-path={places.audit_log}",
    ]


def kube_controller_manager(programs: ClusterPrograms, places: ClusterPlaces) -> list[str]:
    """The command of the controller manager."""
    certificates = places.certificates
    return [
        str(programs.kube_controller_manager),
        f"--flex-volume-plugin-dir={places.volume_plugins}",  # made at its start, below /usr by default
        f"--kubeconfig={certificates.kubeconfig('kube-controller-manager')}",
        f"--root-ca-file={certificates.certificate('ca')}",
        f"--service-account-private-key-file={certificates.key('service-account')}",
        "--use-service-account-credentials",
        "--leader-elect=false",
        "--profiling=false",
    ]


def kube_scheduler(programs: ClusterPrograms, places: ClusterPlaces) -> list[str]:
    """The command of the scheduler."""
    kubeconfig = places.certificates.kubeconfig("kube-scheduler")
    return [str(programs.kube_scheduler), f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--profiling=false"]


def kubelet(programs: ClusterPrograms, places: ClusterPlaces) -> list[str]:
    """The command of the kubelet. Pods lie on the node's own disk: their volumes have to reach containerd."""
    root = places.lab.state / "kubelet"
    return [
        *("sh", str(_KUBELET_SCRIPT), "outside"),
        str(programs.kubelet),
        f"--config={places.configuration / 'kubelet.json'}",
        f"--kubeconfig={places.certificates.kubeconfig(places.kubelet_identity)}",
        f"--root-dir={root}",
        f"--cert-dir={root / 'pki'}",
        f"--hostname-override={places.node_name}",
        f"--node-ip={LabNetwork(places.lab.name).node_address}",
    ]


def kube_proxy(programs: ClusterPrograms, places: ClusterPlaces) -> list[str]:
    """The command of kube-proxy, through which pods reach the API server at its service address."""
    return [str(programs.kube_proxy), f"--config={places.configuration / 'kube-proxy.json'}"]


def _audit_policy() -> dict[str, Any]:
    # The stage ResponseStarted stays in: it is all that a watch shows before it ends.
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }


def kubelet_configuration(places: ClusterPlaces) -> dict[str, Any]:
    """What the file kubelet.json of a node on this machine says."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(places.certificates.certificate("ca"))},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{places.lab.socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": LabCgroup(places.lab.name).path,
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,  # a lower one needs CAP_SYS_RESOURCE
        "makeIPTablesUtilChains": False,
        "podLogsDir": str(places.lab.pod_logs),
        "resolvConf": str(places.configuration / "resolv.conf"),
        "staticPodPath": str(places.static_pods),
        # On a further node there is only what is put there by name.
        "registerWithTaints": [{"key": "lab/nested", "effect": "NoSchedule"}] if places.lab.nested_node else [],
        "volumePluginDir": str(places.volume_plugins),
        "fileCheckFrequency": "1s",
        # How full the machine's disk is must not decide whether a lab's pods and images stay.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "10Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
    }


def _kube_proxy_configuration(places: ClusterPlaces) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(places.certificates.kubeconfig("kube-proxy"))},
        "clusterCIDR": pod_range(places.lab),
        "hostnameOverride": places.node_name,
        "oomScoreAdj": 0,
        # 0 leaves the kernel's settings alone: they are the machine's, not the lab's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
