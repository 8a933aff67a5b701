"""How containerd is configured for the lab, and how its two versions differ."""

import json
import shlex
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

from lab.build.runtime import RuntimePrograms
from lab.pins import PAUSE_IMAGE, RuntimeVersion
from lab.places import Places

_OCI = Path(__file__).parents[1] / "oci"
EDIT_BUNDLE = _OCI / "edit_bundle.py"
_ENTER = Path(__file__).with_name("enter.sh")

#: Two switches stand in both: without CAP_SYS_RESOURCE runc cannot lower an OOM score and dies ("can't get final
#: child's PID"), and the machine may have no AppArmor. The plugin "opt" would make /opt/containerd on the machine.
_CONFIG_1_6 = """\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{cni}"
conf_dir = "{cni_config}"

[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "{runc}"
"""

_CONFIG_2_4 = """\
version = 3
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{socket}"

[plugins."io.containerd.nri.v1.nri"]
disable = true

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{pause}"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "{registries}"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
disable_apparmor = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{cni}"]
conf_dir = "{cni_config}"

[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{runc}"
"""

#: How many ranges there are for the pods of further nodes of a cluster, behind that of its first one.
_NESTED_RANGES = 50


def pod_range(places: Places) -> str:
    """Addresses for the pods of a lab. They are seen in its own network namespace only, so labs may share them.

    A further node of a cluster has another one than the first; which one follows from its name.
    """
    nested = places.nested_node
    return f"10.{201 + zlib.crc32(nested.encode()) % _NESTED_RANGES if nested else 200}.0.0/16"


def write_files(places: Places, version: RuntimeVersion, programs: RuntimePrograms) -> None:
    """Write everything containerd reads at its start: its configuration, CNI's, the wrapper around runc."""
    networks = places.run / "cni"
    registry = places.run / "registries" / "localhost"
    for directory in (networks, registry, places.faults, places.state):
        directory.mkdir(parents=True, exist_ok=True)
    template = _CONFIG_1_6 if version.from_debian else _CONFIG_2_4
    config = template.format(
        root=places.state / "root",
        state=places.run / "state",
        socket=places.socket,
        pause=PAUSE_IMAGE,
        cni=programs.cni,
        cni_config=networks,
        registries=registry.parent,
        runc=places.wrapper,
    )
    (places.run / "config.toml").write_text(config)
    # Without it containerd 2 asks a registry at localhost by HTTPS only (see lab.registry); 1.6 by HTTP anyway.
    (registry / "hosts.toml").write_text('server = "http://localhost"\n')
    network = cni_config(places, places.run / "addresses")
    (networks / "10-lab.conflist").write_text(json.dumps(network, indent=1))
    _write_wrapper(places, programs)


def start_command(places: Places, programs: RuntimePrograms) -> list[str]:
    """The command that enters the lab and becomes containerd."""
    return ["sh", str(_ENTER), "outside", str(programs.bin / "containerd"), "--config", str(places.run / "config.toml")]


def wrapper(settings: Mapping[str, str]) -> str:
    """The script that containerd takes for runc, with what oci/wrapper.sh is to be told."""
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    return f"#!/bin/sh\n{head}{(_OCI / 'wrapper.sh').read_text()}"


def _write_wrapper(places: Places, programs: RuntimePrograms) -> None:
    edit = places.state / "edit_bundle.py"
    edit.write_text(EDIT_BUNDLE.read_text())
    settings = {
        "RUNC": str(programs.runc),
        "FAULTS": str(places.faults),
        "PYTHON": sys.executable,
        "EDIT": str(edit),
    }
    places.wrapper.write_text(wrapper(settings))
    places.wrapper.chmod(0o755)


def cni_config(places: Places, addresses: Path) -> dict[str, object]:
    """The network of a node's pods; which address is whose is kept in the directory `addresses`."""
    return {
        "cniVersion": "0.4.0",
        "name": "lab",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(addresses),
                    "ranges": [[{"subnet": pod_range(places)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
