"""Every version the lab is made of, in one place.

The Go versions stand in go/<module>/go.mod as well, because the Go tool reads them there; a test compares the two.
"""

from dataclasses import dataclass

#: Debian packages that are unpacked, never installed. The part before the Debian revision is pinned: a point
#: release replaces the revision on every mirror, and a pin of the whole would then find nothing.
DEBIAN_PACKAGES = {
    "containerd": "1.6.20",
    "runc": "1.1.5",
    "containernetworking-plugins": "1.1.1",
    "busybox-static": "1:1.35.0",
    "prometheus": "2.42.0",  # for promtool
}

#: Go modules whose commands are built: module path to version.
GO_MODULES = {
    "github.com/containerd/containerd/v2": "2.4.2",
    "github.com/opencontainers/runc": "1.5.2",
    "go.etcd.io/etcd/server/v3": "3.6.16",
    "k8s.io/kubernetes": "1.36.3",
    "helm.sh/helm/v4": "4.3.1",
    "github.com/yannh/kubeconform": "0.8.0",
    "github.com/prometheus/node_exporter": "1.12.1",
    "github.com/rhysd/actionlint": "1.7.12",
}

#: Go modules from which only files are taken, with the checksum that go.sum would have. Of Kubernetes one of
#: each minor version from the oldest that the chart takes to the lab's own.
SCHEMA_SOURCES = {
    "k8s.io/kubernetes@v1.30.14": "h1:MrlKXh9uhLIJpyxOeXhcndzRVSvwiV9iJ8NgH8nqPsg=",
    "k8s.io/kubernetes@v1.31.14": "h1:UtjLfqvXLuSVDdJ4+NpQCIfFkKkLnAAVmxAEMsnkhjk=",
    "k8s.io/kubernetes@v1.32.13": "h1:5TGYdZ6YZqdp6h/Rp1vX/4TIoybMPdgv97LCZCtPuNQ=",
    "k8s.io/kubernetes@v1.33.13": "h1:bmH31xUdSzeA5vk0wZAK9MZp11mdLuzUSeKk0qN3hPQ=",
    "k8s.io/kubernetes@v1.34.4": "h1:Yy6R4QB8C9kJPp25GFqEvX5XQwY5qzKeqD0Xx6oAcmk=",
    "k8s.io/kubernetes@v1.35.4": "h1:o/8dBC/pHVpYoGV4OAIytAlNPZbdYVTXJHoYvXC4qzM=",
    "k8s.io/kubernetes@v1.36.3": "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o=",
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
}

#: The system of a node that is a virtual machine: the release of Debian, and its kernel. The package of the kernel is
#: called after each build of it; this one depends on the newest.
VM_SYSTEM = "bookworm"
VM_KERNEL_PACKAGE = "linux-image-cloud-amd64"
VM_KERNEL = "6.1"

PAUSE_IMAGE = "localhost/pause:1"
#: The same program in another image: what an upgrade of the sandbox image looks like. Not imported by default.
OTHER_PAUSE_IMAGE = "localhost/pause:2"
BUSYBOX_IMAGE = "localhost/busybox:1"


@dataclass(frozen=True)
class RuntimeVersion:
    """One pair of containerd and runc that the lab can start.

    Attributes:
        name: What tests and the command line call it, "containerd-1.6".
        containerd: The version containerd reports of itself.
        runc: The version of the runc it runs.
        from_debian: Whether the pair is unpacked from Debian packages (else built from Go modules).
    """

    name: str
    containerd: str
    runc: str
    from_debian: bool


CONTAINERD_1_6 = RuntimeVersion(
    name="containerd-1.6",
    containerd=DEBIAN_PACKAGES["containerd"],
    runc=DEBIAN_PACKAGES["runc"],
    from_debian=True,
)
CONTAINERD_2_4 = RuntimeVersion(
    name="containerd-2.4",
    containerd=GO_MODULES["github.com/containerd/containerd/v2"],
    runc=GO_MODULES["github.com/opencontainers/runc"],
    from_debian=False,
)
RUNTIME_VERSIONS = {version.name: version for version in (CONTAINERD_1_6, CONTAINERD_2_4)}
