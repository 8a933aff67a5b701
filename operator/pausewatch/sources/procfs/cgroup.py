r"""``/proc/<pid>/cgroup``: to which container a process belongs, and which version of cgroups the node uses.

One line per hierarchy, ``number:controllers:path`` (cgroups(7)); version 2 is the line with the number 0::

    8:pids:/kubepods/burstable/pod2595976c-bc45-40c5-b56f-faaf68d2f9c4/6f8f68a2460e71403be61b96a997bec0fd47a01224a…
    0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod2595976c_….slice/cri-containerd-6f8f….scope

What runtimes write there (containerd's getCgroupsPath, CRI-O's cgroup manager): the container's id, 64 hexadecimal
digits, alone or behind ``cri-containerd-``, ``crio-``, ``docker-``, ``libpod-`` or ``….slice:cri-containerd:``, with or
without ``.scope``. Around it anything can stand:

- in front, the container that is the whole node (kind: ``/docker/<id>/kubelet/kubepods/…``), so the id is looked for
  behind the pod's part where there is one;
- behind, cgroups that the container made itself (systemd, Docker in a pod, crun's ``/container``), so the first counts;
- ``/../..`` in front if we are in a cgroup namespace of our own, which may cut the pod's part off, and for processes of
  our own container all of it: see ``is_of_our_container``;
- ``crio-conmon-<id>``: CRI-O's monitor *of* that container, which is not in it;
- ``" (deleted)"`` at the end once the cgroup was removed.

A zombie shows ``/`` in every hierarchy of version 1 and its path in that of version 2 (kernel, proc_cgroup_show).
"""

import os
import re

from pausewatch.model.availability import Unavailable
from pausewatch.sources.procfs.errors import GONE, unavailable

_READ_BYTES = 4096
"""More than a cgroup file of a dozen hierarchies holds."""

_HIERARCHIES = ("pids", "memory", "name=systemd", "")
"""Where runtimes place a container in any case; "" is version 2. Other controllers may be left at the root."""

_POD_WITH_UID = re.compile(r"(?:^|-)pod(?:[0-9a-f]{32}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})(?![0-9a-f])")
"""``pod<uid>`` or ``…-pod<uid>.slice``: a UUID (systemd's spelling has underscores) or the hash of a static pod."""

_POD_OF_ANY_UID = re.compile(r"(?:^|-)pod.")
"""Below ``kubepods`` any name counts: the manifest of a static pod may set its uid freely."""

_CONTAINER = re.compile(r"(?:^|[-:])([0-9a-f]{64})(?:\.scope)?$")


def container_id(text: str) -> str | None:
    """Return the id of the container or sandbox that the content of a cgroup file names; None if it names none."""
    found = container(text)
    return None if found is None else found[1]


def container(text: str) -> tuple[str, str] | None:
    """Return the path that names a container or sandbox, as it stands in a cgroup file, and the id in it."""
    paths = _paths(text)
    named = ((path, _id_in(path)) for path in (paths.get(name, "") for name in _HIERARCHIES))
    return next(((path, found) for path, found in named if found), None)


def pods_root(path: str) -> str | None:
    """Return what stands in a path in front of the kubelet's part; None if the path is not that of a pod.

    >>> pods_root("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podfe9e3b1e5d1b4d1d9f0c6a7b8c9d0e1f.slice/x")
    '/kubelet.slice'
    """
    segments = path.split("/")
    pod = _pod_position(segments)
    if not pod:
        return None
    root = next((position for position, one in enumerate(segments[:pod]) if "kubepods" in one), pod)
    return "/".join(segments[:root])


def is_of_our_container(text: str, of_pid_1: str) -> bool:
    """Return whether a process is in the container that we run in ourselves, whose id no path tells there.

    A container on version 2 has a cgroup namespace of its own. In there its processes are at ``/`` or below, and all
    others' paths begin with ``/..`` (cgroup_namespaces(7)), that of the node's PID 1 too. Where that one's does not, we
    have no such namespace, or do not see the node's processes: what is at ``/`` then is in no container.

    Args:
        text: The content of the process's cgroup file.
        of_pid_1: That of the file of PID 1.
    """
    path, outside = path_in(text, ""), path_in(of_pid_1, "")
    return path is not None and outside is not None and _is_outside(outside) and not _is_outside(path)


def path_in(text: str, controller: str) -> str | None:
    """Return the path in the hierarchy of a controller (empty: that of version 2); None where there is none."""
    return _paths(text).get(controller)


def version(text: str) -> str:
    """Return ``v1``, ``v2`` or ``hybrid`` (both hold controllers' processes); empty if the text says neither.

    The kernel lists every mounted hierarchy, and version 2 from its first mount on. A hierarchy of version 1 without
    controllers (``name=systemd``, left for old programs) does not make a node of version 2 a hybrid.
    """
    paths = _paths(text)
    first = any(name and not name.startswith("name=") for name in paths)
    second = "" in paths
    if first and second:
        return "hybrid"
    if second:
        return "v2"
    return "v1" if first else ""


def read(root: str, pid: int | str = "self") -> str | Unavailable | None:
    """Return the content of the file for ``container_id`` and ``version``; None if the process is gone."""
    path = f"{root}/{pid}/cgroup"
    try:
        # A Path for each process would take longer than the kernel does.
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return _content(descriptor).decode("utf-8", "surrogateescape")
        finally:
            os.close(descriptor)
    except GONE:
        return None
    except OSError as error:
        return unavailable(path, error)


def _content(descriptor: int) -> bytes:
    content = piece = os.read(descriptor, _READ_BYTES)
    while piece:
        piece = os.read(descriptor, _READ_BYTES)
        content += piece
    return content


def _paths(text: str) -> dict[str, str]:
    """Return the path in each hierarchy, by controller; a line of another form is none of ours and is passed over.

    A newline is the only character that the kernel refuses in the name of a cgroup (cgroup_mkdir in
    kernel/cgroup/cgroup.c), and so the only one that ends a line. Ended by any other, as ``splitlines`` does, the name
    that a container gives to a cgroup of its own could forge a line, and pass its processes off as another's.
    """
    paths = {}
    for line in text.split("\n"):
        match line.split(":", 2):
            case [_, controllers, path]:
                paths.update(dict.fromkeys(controllers.split(","), path.removesuffix(" (deleted)")))
    return paths


def _is_outside(path: str) -> bool:
    """Return whether a path leads out of the cgroup namespace of whoever reads it."""
    return path.startswith("/..")


def _id_in(path: str) -> str | None:
    segments = path.split("/")
    for segment in segments[_pod_position(segments) :]:
        if found := _CONTAINER.search(segment):
            return None if "conmon-" in segment else found.group(1)
    return None


def _pod_position(segments: list[str]) -> int:
    """Return where the pod's part is, 0 without one. It may name the container too: ``….slice:cri-containerd:<id>``."""
    below_kubepods = False
    for position, segment in enumerate(segments):
        below_kubepods = below_kubepods or "kubepods" in segment
        if _POD_WITH_UID.search(segment) or (below_kubepods and _POD_OF_ANY_UID.search(segment)):
            return position
    return 0
