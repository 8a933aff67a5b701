import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.pod_network import PodNetwork
from pausewatch.model.sandbox import NamespaceMode, SandboxState, SpecNamespace
from pausewatch.model.snapshot import Snapshot
from pausewatch.sources.network import deep_probe
from pausewatch.sources.network.deep_probe import DeepProbe, translate
from pausewatch.sources.place import Place
from sources.procfs.living import running
from support.builders import a_snapshot
from support.changes import with_sandbox
from support.parts import SHARED_SANDBOX_ID, WEB_SANDBOX_ID

ADDRESS = "10.200.0.3"
INSIDE = (
    "ip link set lo up; ip link add eth0 type veth peer name eth1; ip link set eth1 up; ip link set eth0 up;"
    f" ip address add {ADDRESS}/24 dev eth0; echo ready; read x"
)
PATH = "/run/netns/pod"


@pytest.fixture
def inside() -> Iterator[int]:
    """Run a process in a network namespace like a pod's."""
    with running("unshare", "--net", "sh", "-c", INSIDE) as process:
        yield process.pid


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give the root of a runtime, beside the real namespaces of this process."""
    (tmp_path / "self").symlink_to("/proc/self")
    (tmp_path / "800/root/run/netns").mkdir(parents=True)
    return Place(proc=str(tmp_path), listener_pid=800, endpoint="/run/x.sock")


@pytest.fixture
def pinned(inside: int, place: Place) -> Iterator[Place]:
    """Pin the namespace below the root of the runtime."""
    file = Path(place.root + PATH)
    file.touch()
    subprocess.run(["mount", "--bind", f"/proc/{inside}/ns/net", file], check=True)
    yield place
    subprocess.run(["umount", file], check=True)


def crio_pod(**changes: object) -> Snapshot:
    """Return a node on which web-x has a pin and no process inside."""
    entries = (SpecNamespace(kind=NamespaceKind.NETWORK, path=PATH),)
    snapshot = with_sandbox(a_snapshot(pod_networks=()), WEB_SANDBOX_ID, **{"spec_namespaces": entries} | changes)
    assert not isinstance(snapshot.sandboxes, Unavailable)
    return replace(snapshot, sandboxes=tuple(one for one in snapshot.sandboxes if one.id == WEB_SANDBOX_ID))


def networks(snapshot: Snapshot) -> tuple[PodNetwork, ...]:
    """Return the section, which is there."""
    assert not isinstance(snapshot.pod_networks, Unavailable)
    return snapshot.pod_networks


def granted(snapshot: Snapshot) -> bool:
    """Return whether the probe said that it works."""
    (fact,) = [one for one in snapshot.access if one.name == "deep-probe"]
    assert fact.granted == (not fact.remedy)
    return fact.granted


def test_pod_without_a_process_inside_is_seen(pinned: Place) -> None:
    """Its addresses, the state of its interfaces, its loopback, and how a person gets there."""
    snapshot = DeepProbe().complete(crio_pod(), pinned)

    (found,) = networks(snapshot)
    assert (found.sandbox_id, found.addresses, found.has_loopback) == (WEB_SANDBOX_ID, (ADDRESS,), True)
    assert found.links_up == ("eth0", "eth1")
    assert (found.process, found.seen_through, found.nsenter_options) == (None, PATH, f"--net={PATH}")
    assert granted(snapshot)


def test_own_namespace_is_unchanged(pinned: Place) -> None:
    """Before, during and after: of every thread of this process."""

    def own() -> set[str]:
        found = set()
        for thread in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # it ends
                found.add(str((thread / "ns/net").readlink()))
        return found

    before = own()
    during: list[set[str]] = []
    probing = threading.Thread(target=lambda: DeepProbe().complete(crio_pod(), pinned))
    probing.start()
    while probing.is_alive():
        during.append(own())
    probing.join()

    assert len(before) == 1
    assert all(seen == before for seen in (*during, own()))


def test_own_namespace_is_unchanged_when_the_child_is_killed(
    pinned: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies inside the other namespace; nothing is seen, and that is said."""
    before = os.readlink("/proc/self/ns/net")  # noqa: PTH115
    child = tmp_path / "dies.py"
    child.write_text(
        "import os, signal, sys\nfrom nsenter import Namespace\n"
        "with Namespace(sys.argv[2], 'net'):\n os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    monkeypatch.setattr(deep_probe, "CHILD", child)

    snapshot = DeepProbe().complete(crio_pod(), pinned)

    assert networks(snapshot) == ()
    assert not granted(snapshot)
    assert os.readlink("/proc/self/ns/net") == before  # noqa: PTH115


def test_child_that_hangs_is_killed(pinned: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan is never held up for long."""
    child = tmp_path / "hangs.py"
    child.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(deep_probe, "CHILD", child)

    snapshot = DeepProbe(time_limit_seconds=0).complete(crio_pod(), pinned)

    assert not granted(snapshot)
    assert "not done after 0 s" in snapshot.access[-1].detail


@pytest.mark.parametrize("said", ['[{"error": 1}]', '[{"error": 13}]', "", "no JSON"])
def test_child_that_sees_nothing(pinned: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Without CAP_SYS_ADMIN the kernel refuses (EPERM); nothing else is lost, and what to do is said."""
    child = tmp_path / "says.py"
    child.write_text(f"print({said!r})\n")
    monkeypatch.setattr(deep_probe, "CHILD", child)

    snapshot = DeepProbe().complete(crio_pod(), pinned)

    assert networks(snapshot) == ()
    assert not granted(snapshot)
    assert "CAP_SYS_ADMIN" in snapshot.access[-1].remedy


def test_own_proc_that_can_not_be_read(place: Place) -> None:
    """It says so and goes on."""
    Path(place.proc, "self").unlink()

    assert not granted(DeepProbe().complete(crio_pod(), place))


@pytest.mark.parametrize(
    "changes",
    [
        {"state": SandboxState.NOTREADY},
        {"network_mode": NamespaceMode.NODE},
        {"network_mode": None},
        {"spec_namespaces": ()},
        {"spec_namespaces": None},
        {"runtime_handler": "kata-qemu"},
    ],
)
def test_sandboxes_that_are_not_looked_into(pinned: Place, changes: dict[str, object]) -> None:
    """Without a network of their own, not comparable, not ready, or unknown: no child is started."""
    snapshot = DeepProbe().complete(crio_pod(**changes), pinned)

    assert networks(snapshot) == ()
    assert granted(snapshot)


def test_sandbox_without_status_is_not_looked_into(pinned: Place) -> None:
    """Where its network is can not be told."""
    damaged = Unavailable(reason="StatusUnreadable", detail="damaged")

    assert networks(DeepProbe().complete(with_sandbox(crio_pod(), WEB_SANDBOX_ID, details=damaged), pinned)) == ()


def test_file_that_pins_nothing_is_not_opened(place: Place) -> None:
    """The pin of a sandbox that is being stopped leaves an empty file, or a pipe that somebody put there."""
    os.mkfifo(place.root + PATH)

    snapshot = DeepProbe().complete(crio_pod(), place)

    assert networks(snapshot) == ()
    assert granted(snapshot)


def test_what_was_seen_through_a_process_stands(pinned: Place) -> None:
    """No child is started for those; the order stays that of the sandboxes."""
    whole = a_snapshot()
    entries = (SpecNamespace(kind=NamespaceKind.NETWORK, path=PATH),)
    known = [one for one in networks(whole) if one.sandbox_id == SHARED_SANDBOX_ID]
    snapshot = with_sandbox(replace(whole, pod_networks=tuple(known)), WEB_SANDBOX_ID, spec_namespaces=entries)

    found = networks(DeepProbe().complete(snapshot, pinned))

    assert [one.sandbox_id for one in found] == [WEB_SANDBOX_ID, SHARED_SANDBOX_ID]
    assert found[1] is known[0]


def test_section_that_could_not_be_read_stays_so(pinned: Place) -> None:
    """The probe adds to what /proc shows and does not replace it."""
    missing = a_snapshot(pod_networks=Unavailable(reason="PermissionDenied", detail="denied"))

    assert DeepProbe().complete(missing, pinned) is missing


def test_healthy_pod_is_looked_into_once_a_minute(pinned: Place, inside: int) -> None:
    """And one that looks wrong at each scan."""
    probe = DeepProbe()
    first = crio_pod()
    assert networks(probe.complete(first, pinned))[0].addresses == (ADDRESS,)
    subprocess.run(["nsenter", f"--net=/proc/{inside}/ns/net", "ip", "address", "flush", "dev", "eth0"], check=True)

    def addresses(later_seconds: float) -> tuple[str, ...]:
        later = replace(first, uptime_seconds=first.uptime_seconds + later_seconds)
        return networks(probe.complete(later, pinned))[0].addresses

    assert addresses(59) == (ADDRESS,)
    assert addresses(60) == ()
    add = ["ip", "address", "add", f"{ADDRESS}/24", "dev", "eth0"]
    subprocess.run(["nsenter", f"--net=/proc/{inside}/ns/net", *add], check=True)
    assert addresses(61) == (ADDRESS,)


def test_what_the_child_saw() -> None:
    """Addresses in canonical form, without loopback and link-local ones; loopback counts if its link is up."""
    seen = {
        "lo": {"up": True, "addresses": ["127.0.0.1", "::1"]},
        "eth0": {"up": True, "addresses": ["10.1.0.7", "FD00:0::7", "fe80::1%eth0", "169.254.1.1"]},
        "eth1": {"up": False, "addresses": []},
    }

    network = translate("id", PATH, seen)

    assert (network.addresses, network.links_up, network.has_loopback) == (("10.1.0.7", "fd00::7"), ("eth0",), True)
    for lo in ({"up": False, "addresses": ["127.0.0.1"]}, {"up": True, "addresses": []}):
        assert not translate("id", PATH, seen | {"lo": lo}).has_loopback
    assert not translate("id", PATH, {}).has_loopback
