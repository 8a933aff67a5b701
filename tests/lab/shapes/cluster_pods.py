"""Pods that a kubelet has made, as the lab's own pods are known: by sandbox, containers and their pids."""

from lab.cri import lab_cri_pb2 as pb
from lab.errors import LabError
from lab.pods import Container, Pod, RunningPod
from lab.shapes.runtime import RuntimeLab


def find_pod(lab: RuntimeLab, name: str, namespace: str) -> RunningPod:
    """The newest sandbox of a pod with the newest container of each name.

    What was asked for is not known to the runtime: of `RunningPod.pod`, only the names are right.

    Raises:
        LabError: The runtime has no sandbox of it.
    """
    sandboxes = [
        sandbox
        for sandbox in lab.client.sandboxes()
        if (sandbox.metadata.namespace, sandbox.metadata.name) == (namespace, name)
    ]
    if not sandboxes:
        raise LabError(f"the runtime has no sandbox of pod {namespace}/{name}")
    sandbox = max(sandboxes, key=lambda sandbox: sandbox.created_at)
    containers = sorted(lab.client.containers(sandbox.id), key=lambda container: container.created_at)
    ids = {container.metadata.name: container.id for container in containers}
    uid = sandbox.metadata.uid
    return RunningPod(
        pod=Pod(name, namespace, tuple(Container(container) for container in ids)),
        uid=uid,
        sandbox_id=sandbox.id,
        container_ids=ids,
        sandbox_config=pb.PodSandboxConfig(log_directory=str(lab.places.pod_logs / f"{namespace}_{name}_{uid}")),
        client=lab.client,
    )
