"""What a node that is a virtual machine is told: its files, as one archive that it unpacks at its start.

They lie where a node in production has them, so that what runs there finds everything by its defaults.
"""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.network import LabNetwork
from lab.pins import PAUSE_IMAGE
from lab.places import Places
from lab.shapes.cluster_daemons import ClusterPlaces, kubelet_configuration, write_node_files
from lab.shapes.containerd import EDIT_BUNDLE, cni_config, wrapper

#: Below these, the machine has what `lab.build.vm` has put on its disks.
PROGRAMS = Path("/lab/programs")
PACKAGES = Path("/lab/packages")
PYTHON = "/usr/bin/python3"
FAULTS = Path("/lab/faults")
SOCKET = Path("/run/containerd/containerd.sock")
#: Port at which containerd serves what it serves at its socket, for calls from the machine around it.
CRI_PORT = 7001
PATH = f"{PROGRAMS / 'bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: How the machine's own scripts and the daemons find each other: `lab/vm/daemon.sh`.
DAEMON = ("setsid", "--fork", "sh", "/lab/daemon.sh")

_INSIDE = Path(__file__).parents[1] / "vm"
_SCRIPTS = ("init.sh", "daemon.sh", "serve.py")
_PROGRAM_MODE = 0o755
_FILE_MODE = 0o600
_PUBLIC_MODE = 0o644

#: All defaults of a node in production, AppArmor among them, but for the wrapper that stands for runc, and deadlines
#: of two to five seconds that a machine without KVM does not always meet.
_CONTAINERD = """\
version = 3

[grpc]
address = "{socket}"
tcp_address = "{address}:{port}"

[timeouts]
"io.containerd.timeout.shim.load" = "60s"
"io.containerd.timeout.task.state" = "60s"

[plugins."io.containerd.grpc.v1.cri"]
disable_tcp_service = false

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{pause}"

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{programs}/cni"]

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "/lab/runc"
"""


@dataclass(frozen=True)
class _File:
    path: str  # without leading slash
    content: bytes
    mode: int = _PUBLIC_MODE


def write_vm_files(places: ClusterPlaces, archive: Path) -> None:
    """Write the archive.

    Raises:
        LabError: A certificate could not be made.
    """
    write_node_files(places)
    (places.configuration / "kubelet.json").write_text(json.dumps(_kubelet_configuration(places), indent=1))
    with tarfile.open(archive, "w") as tar:
        for file in (*_system(places.lab), *_runtime(places.lab), *_kubernetes(places)):
            entry = tarfile.TarInfo(file.path)
            entry.size, entry.mode = len(file.content), file.mode
            tar.addfile(entry, io.BytesIO(file.content))


def kubelet(places: ClusterPlaces) -> list[str]:
    """The command of the kubelet; its directories are those of a node in production."""
    return [
        str(PROGRAMS / "bin" / "kubelet"),
        f"--config={places.configuration / 'kubelet.json'}",
        f"--kubeconfig={places.certificates.kubeconfig(places.kubelet_identity)}",
        f"--hostname-override={places.node_name}",
        f"--node-ip={LabNetwork(places.lab.name).node_address}",
    ]


def kube_proxy(places: ClusterPlaces) -> list[str]:
    """The command of kube-proxy."""
    return [str(PROGRAMS / "bin" / "kube-proxy"), f"--config={places.configuration / 'kube-proxy.json'}"]


def _system(lab: Places) -> Iterator[_File]:
    network = LabNetwork(lab.name)
    for script in _SCRIPTS:
        yield _File(f"lab/{script}", (_INSIDE / script).read_bytes())
    told = {
        "LAB_NODE": lab.nested_node,
        "LAB_ADDRESS": network.prefixed(network.node_address),
        "LAB_GATEWAY": network.machine_address,
    }
    yield _File("lab/environment", "".join(f"{name}={value}\n" for name, value in told.items()).encode())
    yield _File("etc/hostname", f"{lab.nested_node}\n".encode())
    yield _File("etc/hosts", f"127.0.0.1 localhost\n{network.node_address} {lab.nested_node}\n".encode())
    yield _File("etc/resolv.conf", b"")
    yield _File("usr/local/lib/python3.11/dist-packages/lab.pth", f"{PACKAGES}\n".encode())


def _runtime(lab: Places) -> Iterator[_File]:
    config = _CONTAINERD.format(
        socket=SOCKET, address=LabNetwork(lab.name).node_address, port=CRI_PORT, pause=PAUSE_IMAGE, programs=PROGRAMS
    )
    yield _File("lab/containerd.toml", config.encode())
    yield _File("lab/edit_bundle.py", EDIT_BUNDLE.read_bytes())
    runc = str(PROGRAMS / "bin" / "runc")
    settings = {"RUNC": runc, "FAULTS": str(FAULTS), "PYTHON": PYTHON, "EDIT": "/lab/edit_bundle.py"}
    yield _File("lab/runc", wrapper(settings).encode(), _PROGRAM_MODE)
    network = cni_config(lab, Path("/var/lib/cni/networks"))
    yield _File("etc/cni/net.d/10-lab.conflist", json.dumps(network, indent=1).encode())


def _kubernetes(places: ClusterPlaces) -> Iterator[_File]:
    """Under the paths that they have on the machine around: kubeconfigs name certificates."""
    certificates = places.certificates
    identities = (places.kubelet_identity, "kube-proxy")
    files = [certificates.certificate("ca"), *(file for file in places.configuration.iterdir() if file.is_file())]
    for name in identities:
        files += [certificates.certificate(name), certificates.key(name), certificates.kubeconfig(name)]
    for file in files:
        yield _File(str(file).lstrip("/"), file.read_bytes(), _FILE_MODE)


def _kubelet_configuration(places: ClusterPlaces) -> dict[str, object]:
    """As on the machine around it, but for what is the lab's: directories, cgroups, a kernel that is not its own."""
    configuration = kubelet_configuration(places)
    of_the_lab = ("cgroupRoot", "failCgroupV1", "oomScoreAdj", "podLogsDir", "staticPodPath", "volumePluginDir")
    kept = {name: value for name, value in configuration.items() if name not in of_the_lab}
    return kept | {"containerRuntimeEndpoint": f"unix://{SOCKET}"}
