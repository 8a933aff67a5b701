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
}

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
