"""What a kubelet sends for a pod: the shape was taken from recorded requests of kubelet 1.36."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from lab.cri import lab_cri_pb2 as pb
from lab.pods import Container, Pod

#: Masked for everybody but privileged containers, by kubelet's default procMount.
_MASKED_PATHS = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
)  # fmt: skip
_READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_GRACE_SECONDS = "1"
_LONGEST_HOST_NAME = 63
#: A name server nobody answers at. Without one the runtime would copy the machine's resolv.conf.
_NAME_SERVER = "10.255.255.53"


def sandbox_config(pod: Pod, uid: str, cgroup_parent: str, log_directory: Path) -> pb.PodSandboxConfig:
    """The request for a pod's sandbox.

    Args:
        pod: What is wanted.
        uid: The pod's UID.
        cgroup_parent: The pod's cgroup, as /proc/<pid>/cgroup tells it.
        log_directory: Where the runtime writes what the pod's containers print.
    """
    return pb.PodSandboxConfig(
        metadata=pb.PodSandboxMetadata(name=pod.name, uid=uid, namespace=pod.namespace),
        # As the kubelet cuts it: truncatePodHostnameIfNeeded in pkg/kubelet/util/util.go.
        hostname="" if pod.host_network else pod.name[:_LONGEST_HOST_NAME].rstrip("-."),
        log_directory=str(log_directory),
        dns_config=pb.DNSConfig(servers=[_NAME_SERVER]),
        labels={**pod.labels, **_pod_labels(pod, uid)},
        annotations={
            **pod.annotations,
            "kubernetes.io/config.seen": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
            "kubernetes.io/config.source": "api",
        },
        linux=pb.LinuxPodSandboxConfig(
            cgroup_parent=cgroup_parent,
            security_context=pb.LinuxSandboxSecurityContext(
                namespace_options=_namespace_options(pod),
                privileged=any(container.privileged for container in pod.containers),
                seccomp=pb.SecurityProfile(profile_type=pb.SecurityProfile.RuntimeDefault),
            ),
            overhead=pb.LinuxContainerResources(),
            resources=pb.LinuxContainerResources(cpu_period=100000, cpu_shares=2),
        ),
    )


def container_config(pod: Pod, uid: str, container: Container, started: Mapping[str, str]) -> pb.ContainerConfig:
    """The request for one container.

    Args:
        pod: The pod it belongs to.
        uid: The pod's UID.
        container: What is wanted.
        started: Ids of the pod's containers that were made before, by name, for `Container.target`.
    """
    options = _namespace_options(pod)
    if container.target:
        options.pid = pb.TARGET
        options.target_id = started[container.target]
    confinement = container.confinement
    seccomp = pb.SecurityProfile.RuntimeDefault if confinement else pb.SecurityProfile.Unconfined
    return pb.ContainerConfig(
        metadata=pb.ContainerMetadata(name=container.name),
        image=pb.ImageSpec(image=container.image, user_specified_image=container.image),
        command=container.command,
        args=container.arguments,
        envs=[pb.KeyValue(key=key, value=value) for key, value in container.environment.items()],
        mounts=[
            pb.Mount(container_path=mount.container_path, host_path=mount.host_path, readonly=mount.readonly)
            for mount in container.mounts
        ],
        labels={**_pod_labels(pod, uid), "io.kubernetes.container.name": container.name},
        annotations={
            "io.kubernetes.container.restartCount": "0",
            "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
            "io.kubernetes.container.terminationMessagePolicy": "File",
            "io.kubernetes.pod.terminationGracePeriod": _GRACE_SECONDS,
        },
        log_path=f"{container.name}/0.log",
        linux=pb.LinuxContainerConfig(
            resources=pb.LinuxContainerResources(
                cpu_period=100000,
                cpu_shares=2,
                oom_score_adj=1000,
                memory_limit_in_bytes=confinement.memory_limit_bytes if confinement else 0,
            ),
            security_context=pb.LinuxContainerSecurityContext(
                capabilities=pb.Capability(
                    add_capabilities=container.capabilities, drop_capabilities=["ALL"] if confinement else []
                ),
                privileged=container.privileged,
                namespace_options=options,
                run_as_user=pb.Int64Value(value=confinement.user if confinement else 0),
                readonly_rootfs=bool(confinement),
                no_new_privs=bool(confinement),
                masked_paths=_MASKED_PATHS,
                readonly_paths=_READONLY_PATHS,
                seccomp=pb.SecurityProfile(profile_type=seccomp),
            ),
        ),
    )


def restarted(config: pb.ContainerConfig, attempt: int) -> pb.ContainerConfig:
    """The same container once more, as a kubelet asks for it after `attempt` restarts."""
    again = pb.ContainerConfig()
    again.CopyFrom(config)
    again.metadata.attempt = attempt
    again.annotations["io.kubernetes.container.restartCount"] = str(attempt)
    again.log_path = f"{config.metadata.name}/{attempt}.log"
    return again


def _namespace_options(pod: Pod) -> pb.NamespaceOption:
    if pod.host_pid:
        pid = pb.NODE
    elif pod.share_pid:
        pid = pb.POD
    else:
        pid = pb.CONTAINER
    return pb.NamespaceOption(
        network=pb.NODE if pod.host_network else pb.POD,
        pid=pid,
        ipc=pb.NODE if pod.host_ipc else pb.POD,
        userns_options=pb.UserNamespace(mode=pb.NODE),
    )


def _pod_labels(pod: Pod, uid: str) -> dict[str, str]:
    return {
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": uid,
    }
