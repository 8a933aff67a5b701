"""The shape "runtime": one containerd without a kubelet, in mount and network namespaces of its own.

Pods made here stay as they were made: a kubelet would kill any that it does not know within seconds.
"""

import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lab.build.runtime import RuntimePrograms, ensure_programs
from lab.cgroups import LabCgroup
from lab.cri import requests
from lab.cri.client import CriClient
from lab.errors import AlreadyRunningError, LabError
from lab.output import output_of
from lab.pid_namespaces import pid_namespace_of
from lab.pins import BUSYBOX_IMAGE, PAUSE_IMAGE, RUNTIME_VERSIONS, RuntimeVersion
from lab.places import Places
from lab.pods import Container, Pod, RunningPod
from lab.processes import Process, find_process
from lab.progress import say
from lab.records import Record, read_record, write_record
from lab.remains import find_remains, remove_remains
from lab.shapes.containerd import write_files
from lab.shapes.daemon import await_ready, shut_down, spawn
from lab.shapes.started import Started
from lab.waiting import wait_until

_SHAPE = "runtime"
#: Seconds for an imported image to be known to the CRI, which hears of it by an event.
_IMAGE_SECONDS = 15.0
_INIT_CONTAINER_SECONDS = 30.0


@dataclass(frozen=True)
class RuntimeLab(Started):
    """A running lab: `start` makes one, `attach` finds one that runs; leaving it as a context manager stops it.

    Attributes:
        places: Its directories.
        version: What runs in it.
        programs: Where its programs are.
        client: Calls to its runtime.
    """

    places: Places
    version: RuntimeVersion
    programs: RuntimePrograms
    client: CriClient = field(repr=False)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.places.name

    @property
    def containerd(self) -> Process:
        """Its runtime's process: another one after a restart.

        Raises:
            LabError: No such lab runs any more.
        """
        record = read_record(self.places)
        if record is None:
            raise LabError(f"no lab {self.name} runs")
        return record.containerd

    @property
    def endpoint(self) -> str:
        """The CRI endpoint, reachable from outside the lab."""
        return f"unix://{self.places.socket}"

    @property
    def cgroup(self) -> LabCgroup:
        """Where all its processes are."""
        return LabCgroup(self.name)

    def run(self, pod: Pod, uid: str = "") -> RunningPod:
        """Make a pod and start its containers in order, as a kubelet would.

        Args:
            pod: What is wanted.
            uid: What the API server calls it, if it knows it; empty: a new one.

        Raises:
            CallError: The runtime refused; the half-made pod is removed first.
            LabError: An init container failed.
        """
        uid = uid or str(uuid.uuid4())
        cgroup = self.cgroup.pod(uid)
        self.cgroup.create(cgroup)
        if pod.pids_limit is not None:
            self.cgroup.limit_pids(cgroup, pod.pids_limit)
        logs = self.places.pod_logs / f"{pod.namespace}_{pod.name}_{uid}"
        config = requests.sandbox_config(pod, uid, cgroup, logs)
        running = RunningPod(pod, uid, self.client.run_sandbox(config, pod.runtime_handler), {}, config, self.client)
        try:
            for container in pod.containers:
                running = self._start(running, container, 0, None)
                if container.init:
                    self._finish(running, container)
        except BaseException:
            self.remove(running)
            raise
        return running

    def restart(self, running: RunningPod, container: str, fault: Mapping[str, str] | None = None) -> RunningPod:
        """Remove a container and run it again under a new id, which also heals a fault it was made with.

        Args:
            running: The pod.
            container: Its container's name.
            fault: How the new container's OCI configuration is falsified (see oci/edit_bundle.py); None: not at all.

        Returns:
            The pod with the container's new id.
        """
        old = running.container_ids[container]
        attempt = self.client.container_status(old).metadata.attempt + 1
        self.client.remove_container(old)
        (self.places.faults / old).unlink(missing_ok=True)
        return self._start(running, running.pod.container(container), attempt, fault)

    def remove(self, running: RunningPod) -> None:
        """Stop and remove a pod; one that is gone is fine."""
        self.cgroup.kill_dead_leaders()
        self.client.remove_sandbox(running.sandbox_id)

    def remove_all_pods(self) -> None:
        """Remove every sandbox the runtime knows, whoever made it."""
        self.cgroup.kill_dead_leaders()
        for sandbox in self.client.sandboxes():
            self.client.remove_sandbox(sandbox.id)

    def ctr(self, *arguments: str) -> str:
        """Run containerd's own client in the CRI's namespace k8s.io, and return what it prints."""
        return self.enter(
            str(self.programs.bin / "ctr"), "--address", str(self.places.socket), "--namespace", "k8s.io", *arguments
        )

    def enter(self, *command: str) -> str:
        """Run a command in the Linux namespaces of the lab's node, its pids included, and return what it prints.

        Raises:
            LabError: It failed, or took more than 60 s; ends with what it wrote to standard error.
        """
        inside = ["nsenter", f"--target={self.containerd.pid}", "--mount", "--net", "--ipc", "--uts", *command]
        with pid_namespace_of(self.containerd.pid):
            return output_of(inside, 60, name=" ".join(command))

    def import_images(self) -> None:
        """Give the runtime the lab's images, those that it has already included."""
        for name, archive in ((PAUSE_IMAGE, "pause.tar"), (BUSYBOX_IMAGE, "busybox.tar")):
            self.ctr("images", "import", str(self.programs.images / archive))
            wait_until(f"the CRI to know {name}", partial(self.client.has_image, name), _IMAGE_SECONDS)

    def stop(self) -> None:
        """Remove the pods, containerd, and everything else the lab left. Works on a hanging or dead runtime too."""
        self.close()
        stop(self.name)

    def close(self) -> None:
        """Let go of a lab that runs on."""
        self.client.close()

    def _start(
        self, running: RunningPod, container: Container, attempt: int, fault: Mapping[str, str] | None
    ) -> RunningPod:
        config = requests.container_config(running.pod, running.uid, container, running.container_ids)
        if attempt:
            config = requests.restarted(config, attempt)
        # A kubelet makes this directory; the runtime makes only the file.
        (Path(running.sandbox_config.log_directory) / container.name).mkdir(parents=True, exist_ok=True)
        made = self.client.create_container(running.sandbox_id, config, running.sandbox_config)
        if fault:
            # Between create and start: only now there is an id, and only the start runs runc.
            (self.places.faults / made).write_text(json.dumps(fault))
        self.client.start_container(made)
        return replace(running, container_ids={**running.container_ids, container.name: made})

    def _finish(self, running: RunningPod, container: Container) -> None:
        made = running.container_ids[container.name]
        what = f"init container {running.pod.name}/{container.name} to end"
        wait_until(what, lambda: self.client.container_status(made).finished_at, _INIT_CONTAINER_SECONDS)
        status = self.client.container_status(made)
        if status.exit_code:
            raise LabError(f"init container {container.name} ended with {status.exit_code}: {status.message}")


def start(version: RuntimeVersion, name: str = "", *, owned: bool = True) -> RuntimeLab:
    """Start a lab, cleaning away first what a dead one of that name left.

    Args:
        version: What runs in it.
        name: What it is called; by default like its version.
        owned: Whether it belongs to this process: then a later start may clean it away once this process is gone.
            Otherwise it runs until somebody stops it.

    Raises:
        AlreadyRunningError: A lab of this name runs and is not abandoned.
        BuildError: A program could not be made.
        LabError: It did not come up; nothing is left of the attempt.
    """
    places = Places(name or version.name)
    _check_machine()
    programs = ensure_programs(version)
    began = time.monotonic()
    with places.locked():
        _clean_abandoned(places)
        try:
            lab = _bring_up(places, version, programs, owned=owned)
        except BaseException:
            remove_remains(places)
            raise
    say(f"{places.name} runs at {lab.endpoint} ({time.monotonic() - began:.1f} s)")
    return lab


def attach(name: str) -> RuntimeLab:
    """The running lab of this name, for another process than the one that started it.

    Raises:
        LabError: No such lab runs.
    """
    places = Places(name)
    record = read_record(places)
    if record is None or not record.containerd.is_alive():
        raise LabError(f"no lab {name} runs")
    version = RUNTIME_VERSIONS[record.version]
    return RuntimeLab(places, version, ensure_programs(version), CriClient.connect(places.socket))


def stop(name: str) -> None:
    """Stop the lab of this name and remove everything it left; none there is fine."""
    places = Places(name)
    if not find_remains(places):
        return
    began = time.monotonic()
    with places.locked():
        shut_down(places)
        remove_remains(places)
    say(f"{name} is gone ({time.monotonic() - began:.1f} s)")


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes namespaces, mounts and cgroups")
    if Path("/var/run").resolve() != Path("/run"):
        raise LabError("/var/run is not /run: the lab's network namespaces would be seen by the machine")


def _clean_abandoned(places: Places) -> None:
    record = read_record(places)
    if record and record.containerd.is_alive() and (record.owner is None or record.owner.is_alive()):
        whose = f"process {record.owner.pid}" if record.owner else "whoever started it; stop it first"
        raise AlreadyRunningError(f"lab {places.name} runs already and belongs to {whose}")
    remains = [line for line in find_remains(places) if line != f"directory {places.run}"]
    if remains:
        say(f"cleaning up after a dead lab {places.name}: {len(remains)} things, first {remains[0]}")
        remove_remains(places)
        places.run.mkdir(parents=True)  # it carries our lock's name; nobody else can be in here now


def _bring_up(places: Places, version: RuntimeVersion, programs: RuntimePrograms, *, owned: bool) -> RuntimeLab:
    cgroup = LabCgroup(places.name)
    directories = cgroup.create(cgroup.daemons)
    write_files(places, version, programs)
    containerd = spawn(places, programs, directories)
    write_record(places, Record(_SHAPE, version.name, containerd, find_process(os.getpid()) if owned else None))
    client = CriClient.connect(places.socket)
    try:
        await_ready(client, containerd, places)
        lab = RuntimeLab(places, version, programs, client)
        lab.import_images()
    except BaseException:
        client.close()
        raise
    return lab
