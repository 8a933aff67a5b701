"""The command of findings that deletes a pod, typed with a real kubectl: when it is right, and when it is too late."""

import os
import subprocess
from pathlib import Path

from e2e.support.workloads import run_static_pod
from lab.pods import Pod
from lab.shapes.cluster import Cluster
from pausewatch.model.next_commands import delete_pod

OTHER_UID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def typed(cluster: Cluster, home: Path, name: str, uid: str) -> tuple[int, str, str]:
    """Type the command into a shell; return its exit code, and what it printed to standard output and error."""
    (command,) = delete_pod("lab", name, uid)
    path = f"{cluster.programs.kubectl.parent}:{os.defpath}"
    environment = {"PATH": path, "KUBECONFIG": str(cluster.kubeconfig), "HOME": str(home)}
    done = subprocess.run(["sh", "-c", command.command], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_pod_is_deleted_unless_it_is_another_one(cluster: Cluster, tmp_path: Path) -> None:
    """Another one of its name is left alone; the one that was found goes; then there is none."""
    web = cluster.run(Pod("web"))

    code, printed, complaint = typed(cluster, tmp_path, "web", OTHER_UID)
    assert (code, printed) == (1, "")
    assert f"the UID in the precondition ({OTHER_UID}) does not match the UID in record ({web.uid})" in complaint
    assert typed(cluster, tmp_path, "web", web.uid) == (0, "being deleted\n", "")
    cluster.kubectl("wait", "pod/web", "--namespace=lab", "--for=delete", "--timeout=60s")
    code, printed, complaint = typed(cluster, tmp_path, "web", web.uid)
    assert (code, printed) == (1, "")
    assert 'pods "web" not found' in complaint


def test_static_pod_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    """The uid that a finding has is that of the pod on the node, which is not that of its mirror pod."""
    mirror = run_static_pod(cluster, "fixed")
    uid = ("get", "pod", mirror, "--namespace=lab", "--output=jsonpath={.metadata.uid}")
    before = cluster.kubectl(*uid)

    found = cluster.find_pod(mirror).uid
    assert found != before
    code, printed, complaint = typed(cluster, tmp_path, mirror, found)
    assert (code, printed) == (1, "")
    assert f"does not match the UID in record ({before})" in complaint
    assert cluster.kubectl(*uid) == before
