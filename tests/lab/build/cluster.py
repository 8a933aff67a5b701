"""What a lab of the shape "cluster" runs besides containerd: etcd and Kubernetes, built on first use."""

from dataclasses import dataclass
from pathlib import Path

from lab.build import golang
from lab.build.cache import Component, ensure
from lab.build.tools import need_tools

#: The commands of Kubernetes, the one that takes longest first: the others use what it has compiled.
_COMMANDS = ("kube-apiserver", "kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubectl")


@dataclass(frozen=True)
class ClusterPrograms:
    """Absolute paths of what a control plane and a kubelet need."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    kubelet: Path
    kube_proxy: Path
    kubectl: Path


def components() -> tuple[Component, ...]:
    """Everything that has to be there before a cluster starts, but for its container runtime."""
    return (golang.etcd(), *(golang.kubernetes(command) for command in _COMMANDS))


def ensure_cluster_programs() -> ClusterPrograms:
    """Make what is missing and say where everything is; about six minutes on two cores when nothing is there.

    Raises:
        BuildError: A component could not be made.
    """
    need_tools({"openssl": "openssl", "nft": "nftables", "ip": "iproute2"})
    commands = {command: ensure(golang.kubernetes(command)) / "bin" / command for command in _COMMANDS}
    return ClusterPrograms(
        etcd=ensure(golang.etcd()) / "bin" / "etcd",
        **{command.replace("-", "_"): program for command, program in commands.items()},
    )
