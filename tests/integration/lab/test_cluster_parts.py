"""The parts of a cluster that need no machine: addresses, manifests, audit records, faults by name."""

import base64
import ipaddress
import json
import subprocess
import time
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.network import LabNetwork
from lab.oci.edit_bundle import find_fault, main
from lab.pods import Container, Mount, Pod
from lab.shapes.cluster_audit import read_audit
from lab.shapes.cluster_manifests import pod_manifest
from lab.shapes.cluster_tokens import shortened

_SPEC = {
    "annotations": {
        "io.kubernetes.cri.sandbox-namespace": "lab",
        "io.kubernetes.cri.sandbox-name": "web",
        "io.kubernetes.cri.container-name": "app",
    },
    "linux": {"namespaces": [{"type": "network", "path": "/proc/1/ns/net"}]},
}


def test_addresses_follow_from_the_name() -> None:
    """Both ends are in one small network of 198.18.0.0/15, another one for another name; the interface's name fits."""
    first, second = LabNetwork("cluster"), LabNetwork("another")

    ends = [ipaddress.IPv4Interface(f"{address}/30") for address in (first.machine_address, first.node_address)]
    assert ends[0].network == ends[1].network
    assert ends[0].network.subnet_of(ipaddress.IPv4Network("198.18.0.0/15"))
    assert first.machine_address != second.machine_address
    assert len(first.machine_interface) <= 15


def test_manifest_of_a_pod() -> None:
    """A pod's description becomes what its author would write; the image is never pulled."""
    containers = (
        Container("first", init=True),
        Container("app", capabilities=("SYS_ADMIN",), mounts=(Mount("/proc", "/host/proc"),)),
    )
    manifest = pod_manifest(Pod("web", "team", containers, share_pid=True, labels={"a": "b"}))

    assert manifest["metadata"] == {"name": "web", "namespace": "team", "annotations": {}, "labels": {"a": "b"}}
    spec = manifest["spec"]
    assert (spec["shareProcessNamespace"], spec["hostPID"]) == (True, False)
    assert [container["name"] for container in spec["initContainers"]] == ["first"]
    (app,) = spec["containers"]
    assert app["imagePullPolicy"] == "Never"
    assert app["securityContext"]["capabilities"] == {"add": ["SYS_ADMIN"]}
    assert app["volumeMounts"] == [{"name": "app-0", "mountPath": "/host/proc", "readOnly": True}]
    assert spec["volumes"] == [{"name": "app-0", "hostPath": {"path": "/proc"}}]


@pytest.mark.parametrize(
    "pod",
    [Pod("web", pids_limit=5), Pod("web", containers=(Container("debug", target="app"),))],
    ids=["limit", "target"],
)
def test_manifest_refuses_what_a_pod_cannot_say(pod: Pod) -> None:
    """It is an error, not left out in silence."""
    with pytest.raises(LabError):
        pod_manifest(pod)


def test_audit_leaves_out_a_half_written_line(tmp_path: Path) -> None:
    """The API server writes while we read."""
    event = {
        "stage": "ResponseComplete",
        "verb": "get",
        "user": {"username": "agent", "extra": {"authentication.kubernetes.io/node-name": ["lab-node"]}},
        "requestURI": "/api/v1/nodes/a",
        "responseStatus": {"code": 404},
        "requestReceivedTimestamp": "2026-01-02T03:04:05.678901Z",
    }
    (tmp_path / "audit.log").write_text(f"{json.dumps(event)}\n{json.dumps(event)[:40]}")

    (record,) = read_audit(tmp_path / "audit.log")
    assert (record.uri, record.code, record.user_agent, record.time.minute) == ("/api/v1/nodes/a", 404, "", 4)
    assert (record.user, record.node) == ("agent", "lab-node")


def test_audit_of_a_server_that_never_ran(tmp_path: Path) -> None:
    """No log, no records."""
    assert read_audit(tmp_path / "audit.log") == []


def test_fault_is_found_by_id_before_names(tmp_path: Path) -> None:
    """A file called like the container counts first, then the one of its names; without either there is none."""
    assert find_fault(tmp_path, "id", _SPEC) is None
    by_name = tmp_path / "pods" / "lab" / "web" / "app"
    by_name.parent.mkdir(parents=True)
    by_name.write_text("{}")
    assert find_fault(tmp_path, "id", _SPEC) == by_name
    assert find_fault(tmp_path, "id", {}) is None
    (tmp_path / "id").write_text("{}")
    assert find_fault(tmp_path, "id", _SPEC) == tmp_path / "id"


def test_bundle_without_a_fault_stays_as_it_is(tmp_path: Path) -> None:
    """Where faults are set for other containers only, nothing is written."""
    config = tmp_path / "config.json"
    config.write_text(f"{json.dumps(_SPEC)} ")
    main(str(tmp_path / "faults"), ["create", "--bundle", str(tmp_path), "id"])

    assert config.read_text() == f"{json.dumps(_SPEC)} "


def test_shortened_token_says_the_same_and_is_signed(tmp_path: Path) -> None:
    """The API server takes it for one of its own, which ends sooner."""
    key, public = tmp_path / "key", tmp_path / "public"
    run = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", str(key))
    subprocess.run(run, check=True, capture_output=True)
    subprocess.run(("openssl", "pkey", "-in", str(key), "-pubout", "-out", str(public)), check=True)
    claims = base64.urlsafe_b64encode(b'{"sub": "agent", "exp": 9999999999}').decode().rstrip("=")

    header, shorter, signature = shortened(f"header.{claims}.signed", key, 30).split(".")

    said = json.loads(base64.urlsafe_b64decode(shorter + "=="))
    assert said["sub"] == "agent"
    # The server's leeway of a minute is taken off.
    assert -35 < said["exp"] - time.time() < -25
    assert verifies(f"{header}.{shorter}".encode(), base64.urlsafe_b64decode(signature + "=="), public)


def verifies(text: bytes, signature: bytes, public: Path) -> bool:
    """Whether openssl accepts a signature of two numbers of 32 bytes each, which it wants in ASN.1."""
    numbers = [int.from_bytes(half) for half in (signature[:32], signature[32:])]
    contents = [number.to_bytes(number.bit_length() // 8 + 1) for number in numbers]
    encoded = b"".join(bytes((2, len(content))) + content for content in contents)
    file = public.with_suffix(".signature")
    file.write_bytes(bytes((0x30, len(encoded))) + encoded)
    run = ("openssl", "dgst", "-sha256", "-verify", str(public), "-signature", str(file))
    return subprocess.run(run, input=text, check=False, capture_output=True).returncode == 0
