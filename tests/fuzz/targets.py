"""What is fuzzed: each reader as a function of bytes, with good input to start from."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from google.protobuf.json_format import ParseDict

from fuzz import judged
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.text import printable
from pausewatch.sources import monitors
from pausewatch.sources.cri import answers, verbose_info
from pausewatch.sources.cri import sandbox_image as images
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri
from pausewatch.sources.cri.translate import translate_runtime
from pausewatch.sources.cri.translate_container import translate_container, translate_exited_container
from pausewatch.sources.cri.translate_sandbox import translate_sandbox
from pausewatch.sources.network import cni_configuration, host_local
from pausewatch.sources.procfs import boot, cgroup, namespace_links, network, pids_hierarchy, process_stat, status
from pausewatch.sources.procfs.errors import ProcFormatError
from sources.cri.recorded import RECORDINGS, recorded_container, recorded_sandbox

Read = Callable[[bytes], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A reader.

    Attributes:
        read: Called with any bytes.
        declared: The errors that it may raise; all others are faults.
        seeds: Good input, to be damaged.
        is_message: Whether it reads messages of the CRI.
    """

    read: Read
    declared: tuple[type[Exception], ...] = ()
    seeds: tuple[bytes, ...]
    is_message: bool = False


STAT = (
    b"4121 (olake-server) S 4098 4121 4121 0 -1 4194560 8125 0 0 0 12 4 0 0 20 0 9 0 881234 1277952 300 18446744073\n"
)
ZOMBIE = b"5013 (sh) Z 4121 5013 4121 0 -1 4228364 96 0 0 0 0 0 0 0 20 0 1 0 893310 0 0 18446744073709551615\n"
ID = b"6f8f68a2460e71403be61b96a997bec0fd47a01224a7fa1c44c62a80c4d96aab"
POD = b"/kubepods/burstable/pod2595976c-bc45-40c5-b56f-faaf68d2f9c4"
CGROUP_V1 = b"8:pids:" + POD + b"/" + ID + b"\n4:cpu,memory:" + POD + b"/" + ID + b" (deleted)\n0::/\n"
CGROUP_V2 = b"0::/../../kubepods-pod2595976c_bc45_40c5_b56f_faaf68d2f9c4.slice/cri-containerd-" + ID + b".scope\n"
STATUS = b"Name:\tsh\nUmask:\t0022\nNSpid:\t10759\t42\nCapInh:\t0\nCapEff:\t000001fffeffffff\n"
MOUNTS = (
    b"39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    b"41 31 0:38 /../.. /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
)
FIB_TRIE = (
    b"Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.200.0.3\n        /32 host LOCAL\n     |-- 127.0.0.1\n"
    b"        /32 host LOCAL\n     |-- 10.200.0.255\n        /32 link BROADCAST\n"
)
IGMP = (
    b"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n"
    b"\t\t\t\t010000E0     1 0:00000000\t\t0\n3\teth0      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
)
IF_INET6 = (
    b"fe8000000000000034836cfffebd0931 03 40 20 c0     eth0\nfd000000000000000000000000000007 03 40 00 80     eth0\n"
)
SHIM = b"/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0" + ID + b"\0-address\0/run/containerd.sock\0"
CONMON = b"/usr/bin/conmon\0-b\0/run\0-c\0" + ID + b"\0--socket-dir-path\0/var/run/crio\0-u\0" + ID + b"\0-s\0"
CNI = json.dumps(
    {
        "cniVersion": "0.4.0",
        "name": "cbr0",
        "plugins": [
            {
                "type": "ptp",
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/x",
                    "ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9"}], [{"subnet": "fd00::/64"}]],
                },
            },
            {"type": "flannel", "subnetFile": "/run/flannel/subnet.env"},
        ],
    }
).encode()
FLANNEL = b"FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.3.1/24\nFLANNEL_IPV6_SUBNET=fd00:42::1/64\n"


def text(raw: bytes) -> str:
    """Return bytes as the readers of files have them."""
    return raw.decode("utf-8", "surrogateescape")


@cache
def targets() -> Mapping[str, Target]:
    """Return all of them, by the name of their folder in ``corpus/``."""
    return {**_of_procfs(), **_of_network(), **_of_the_runtime()}


def _of_procfs() -> dict[str, Target]:
    may_refuse = (ProcFormatError,)
    return {
        "stat": Target(read=process_stat.parse, declared=may_refuse, seeds=(STAT, ZOMBIE)),
        "stat-usage": Target(read=process_stat.parse_usage, declared=may_refuse, seeds=(STAT,)),
        "cgroup": Target(read=_cgroup, seeds=(CGROUP_V1, CGROUP_V2)),
        "namespace-link": Target(
            read=lambda raw: namespace_links.parse_one(NamespaceKind.NETWORK, text(raw)),
            declared=may_refuse,
            seeds=(b"net:[4026531840]",),
        ),
        "status": Target(read=lambda raw: status.parse(text(raw)), declared=may_refuse, seeds=(STATUS,)),
        "boot-id": Target(
            read=lambda raw: boot.parse_boot_id(text(raw)),
            declared=may_refuse,
            seeds=(b"f7a3c5de-61a4-4fd1-9a2e-2d9d3c5b6a01\n",),
        ),
        "mountinfo": Target(read=_mountinfo, seeds=(MOUNTS,)),
        "fib-trie": Target(
            read=lambda raw: network.parse(raw, None, None).addresses, declared=may_refuse, seeds=(FIB_TRIE,)
        ),
        "igmp": Target(read=network.parse_igmp, declared=may_refuse, seeds=(IGMP,)),
        "if-inet6": Target(read=network.parse_if_inet6, declared=may_refuse, seeds=(IF_INET6,)),
        "command-line": Target(read=_command_line, seeds=(SHIM, CONMON)),
    }


def _of_network() -> dict[str, Target]:
    refused = (cni_configuration.CniConfigurationError,)
    return {
        "cni-configuration": Target(read=_cni, declared=refused, seeds=(CNI,)),
        "flannel": Target(
            read=lambda raw: cni_configuration.parse(text(CNI_OF_FLANNEL), lambda _: text(raw)), seeds=(FLANNEL,)
        ),
        "reservation": Target(read=_reservation, seeds=(b"10.1.0.7\n" + ID + b"\r\neth0", b"fd00::7\n" + ID)),
    }


CNI_OF_FLANNEL = b'{"name": "cbr0", "plugins": [{"type": "flannel"}]}'


def _of_the_runtime() -> dict[str, Target]:
    refused = (answers.AnswerError,)
    sandboxes = tuple(recorded_sandbox(name) for name in _recorded("sandbox"))
    containers = tuple(recorded_container(name) for name in _recorded("container"))
    statuses = tuple(answer.SerializeToString() for _, answer in sandboxes)
    info = (*(one.info["info"].encode() for _, one in sandboxes), *(one.info["info"].encode() for _, one in containers))
    told = ParseDict(
        {"info": {"config": '{"sandboxImage": "pause:1"}', "cniconfig": '{"PluginConfDir": "/x"}'}},
        cri.StatusResponse(),
    )
    return {
        "sandbox-list": Target(
            read=_sandbox_list,
            declared=refused,
            seeds=tuple(cri.ListPodSandboxResponse(items=[listed]).SerializeToString() for listed, _ in sandboxes),
            is_message=True,
        ),
        "sandbox-status": Target(read=_sandbox_status, declared=refused, seeds=statuses, is_message=True),
        "container-list": Target(
            read=_container_list,
            declared=refused,
            seeds=tuple(
                cri.ListContainersResponse(containers=[listed]).SerializeToString() for listed, _ in containers
            ),
            is_message=True,
        ),
        "container-status": Target(
            read=_container_status,
            declared=refused,
            seeds=tuple(answer.SerializeToString() for _, answer in containers),
            is_message=True,
        ),
        "information": Target(read=_information, seeds=info),
        "version": Target(
            read=_version,
            declared=refused,
            seeds=(cri.VersionResponse(runtime_name="containerd", runtime_version="2.4.2").SerializeToString(),),
            is_message=True,
        ),
        "runtime-status": Target(
            read=_runtime_status, declared=refused, seeds=(told.SerializeToString(),), is_message=True
        ),
        "judged": Target(read=_judged, declared=refused, seeds=statuses, is_message=True),
    }


def _recorded(kind: str) -> list[str]:
    suffix = f".{kind}.json"
    return sorted(
        str(path.relative_to(RECORDINGS)).removesuffix(suffix) for path in Path(RECORDINGS).rglob(f"*{suffix}")
    )


def _cgroup(raw: bytes) -> object:
    named = cgroup.container(text(raw))
    path = "" if named is None else named[0]
    root = cgroup.pods_root(path)
    # As memberships.py keeps them.
    return cgroup.version(text(raw)), named and named[1], printable(path), root and printable(root)


def _mountinfo(raw: bytes) -> object:
    found = pids_hierarchy.parse(text(raw))
    if found is None:
        return None
    inside = pids_hierarchy.directory_of(found, text(CGROUP_V1 + CGROUP_V2), ())
    return printable(found.mount_point), printable(found.root), inside and printable(inside)


def _command_line(raw: bytes) -> object:
    found = monitors.parse(raw)
    return found and replace(found, runtime_path=printable(found.runtime_path))


def _cni(raw: bytes) -> object:
    found = cni_configuration.parse(text(raw), lambda _: text(FLANNEL))
    return found and replace(found, directory=printable(found.directory))


def _reservation(raw: bytes) -> object:
    name, _, content = raw.partition(b"\n")
    return host_local.parse(text(name), content, 5.0)


def _sandbox_list(raw: bytes) -> object:
    _, answer = recorded_sandbox("containerd-2.4/web")
    listed = answers.read_list(cri.ListPodSandboxResponse, raw).items
    return tuple(translate_sandbox(one, answer) for one in listed)


def _sandbox_status(raw: bytes) -> object:
    listed, _ = recorded_sandbox("containerd-2.4/web")
    return translate_sandbox(listed, answers.read_status(cri.PodSandboxStatusResponse, raw))


def _container_list(raw: bytes) -> object:
    _, answer = recorded_container("containerd-2.4/web")
    listed = answers.read_list(cri.ListContainersResponse, raw).containers
    return tuple(translate_container(one, answer) for one in listed)


def _container_status(raw: bytes) -> object:
    listed, _ = recorded_container("containerd-2.4/web")
    former = translate_container(listed, answers.read_status(cri.ContainerStatusResponse, raw))
    return former, translate_exited_container(listed, former)


def _information(raw: bytes) -> object:
    """Read the JSON that is part of a status: protobuf has let text in UTF-8 pass and nothing else."""
    listed, sandbox = recorded_sandbox("containerd-2.4/web")
    running, container = recorded_container("containerd-2.4/web")
    sandbox.info["info"] = container.info["info"] = raw.decode("utf-8", "replace")
    told = verbose_info.parse_info(sandbox.info)
    return (
        told.__class__.__name__,
        translate_sandbox(listed, sandbox),
        translate_container(running, container),
    )


def _version(raw: bytes) -> object:
    return translate_runtime(answers.read_status(cri.VersionResponse, raw), "unix:///run/x.sock")


def _runtime_status(raw: bytes) -> object:
    info = answers.read_status(cri.StatusResponse, raw).info
    return images.configured_name(info), printable(verbose_info.cni_directory(info))


def _judged(raw: bytes) -> object:
    return judged.with_sandbox_status(answers.read_status(cri.PodSandboxStatusResponse, raw))
